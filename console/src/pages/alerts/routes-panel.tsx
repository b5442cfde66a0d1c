import type { AlertRoute, Alerts, AlertTest, RoutedAlert, Severity } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { Chip } from "../../ui/chip.tsx";
import { Choice, Field, Fields } from "../../ui/form.tsx";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { SEVERITIES } from "../../words/severity.ts";
import { duration } from "../../words/time.ts";
import css from "./alerts.module.css";
import { matcherWords } from "./silences-panel.tsx";

const WRITTEN = "written";

/** Who is told of what, and a try of it: nobody is told. */
export function RoutesPanel({ alerts }: { alerts: Alerts | undefined }) {
  const all = [...(alerts?.alerts ?? []), ...(alerts?.ended ?? [])];
  const [chosen, choose] = useState("");
  const [rule, setRule] = useState("NodeDown");
  const [severity, setSeverity] = useState<Severity>("ERROR");
  const [labels, setLabels] = useState("namespace=default");
  const routes = useLoaded("routes", (signal) => api(signal).alertRoutes());
  const test = testOf(chosen, { rule, severity, labels });
  const tried = useLoaded(`test ${JSON.stringify(test)}`, async (signal) =>
    test === undefined ? null : (await api(signal).alertRoutes(test)).tested,
  );
  if (routes.error !== undefined && routes.value === undefined)
    return <Failure error={routes.error} retry={routes.reload} />;
  const choices = [
    { value: "", words: "Choose one" },
    { value: WRITTEN, words: "One that does not exist…" },
    ...all.slice(0, 200).map(({ id, summary }) => ({ value: id, words: summary.slice(0, 100) })),
  ];
  return (
    <>
      <Panel title="Where would an alert go?" aside="Nobody is told by trying">
        <Fields>
          <Choice label="Alert" value={chosen} onChange={choose} options={choices} />
          {chosen === WRITTEN && (
            <>
              <Field label="Rule" hint="As NodeDown" value={rule} onInput={setRule} />
              <Choice
                label="Severity"
                value={severity}
                onChange={(name) => setSeverity(name as Severity)}
                options={SEVERITIES.map((name) => ({ value: name, words: name }))}
              />
              <Field label="Labels" hint="namespace=prod,job=web" value={labels} onInput={setLabels} mono />
            </>
          )}
          {tried.error !== undefined && <Failure error={tried.error} />}
          {tried.value && <Tested tested={tried.value} />}
        </Fields>
      </Panel>
      <Panel title="Routes" aside="asked from top to bottom" flush>
        {routes.value === undefined ? (
          <Skeleton />
        ) : (
          <RouteTree routes={routes.value.routes} tested={tried.value ?? null} />
        )}
      </Panel>
    </>
  );
}

function testOf(
  chosen: string,
  written: { rule: string; severity: Severity; labels: string },
): AlertTest | undefined {
  if (chosen === "") return undefined;
  if (chosen !== WRITTEN) return { alert: chosen };
  const pairs = written.labels
    .split(",")
    .filter((text) => text.includes("="))
    .map((text) => [text.slice(0, text.indexOf("=")).trim(), text.slice(text.indexOf("=") + 1).trim()]);
  return {
    rule: written.rule,
    severity: written.severity,
    labels: Object.fromEntries(pairs) as Record<string, string>,
  };
}

function Tested({ tested: { told, route, alertmanagers, silences } }: { tested: RoutedAlert }) {
  const repeated = alertmanagers.filter(({ mismatch }) => mismatch === null);
  return (
    <div class={css.tested} role="status">
      {told.length === 0 && (
        <p>
          {route === null ? "Nobody is told: no route takes it." : `Nobody is told: route ${route} says so.`}
        </p>
      )}
      {told.map(({ destination, route: by, group, groupWaitMs, repeatIntervalMs, isMuted }) => (
        <p key={`${destination}${by}`}>
          <strong>{destination}</strong> is told after {duration(groupWaitMs)}, by route {by}, together with
          others of{" "}
          {Object.entries(group)
            .map(([name, value]) => `${name} ${value}`)
            .join(", ") || "any kind"}
          ; again after {duration(repeatIntervalMs)}
          {isMuted && "; muted at its time, told when that is over"}.
        </p>
      ))}
      {repeated.map(({ name }) => (
        <p key={name}>
          <strong>{name}</strong> is told whatever routes say.
        </p>
      ))}
      {silences.length > 0 && <p>It is silenced now, by {silences.join(", ")}.</p>}
    </div>
  );
}

function RouteTree({ routes, tested }: { routes: readonly AlertRoute[]; tested: RoutedAlert | null }) {
  if (routes.length === 0)
    return (
      <Empty title="There are no routes">
        No destination for people is configured: docs/alerting.md says how to add one.
      </Empty>
    );
  const steps = new Map(tested?.steps.map(({ route, mismatch }) => [route, mismatch]));
  return (
    <ul class={css.list}>
      {routes.map((route) => (
        <RouteLine key={route.route} route={route} mismatch={steps.get(route.route)} />
      ))}
    </ul>
  );
}

function RouteLine({ route, mismatch }: { route: AlertRoute; mismatch: string | null | undefined }) {
  const { depth, matchers, to, groupBy, groupWaitMs, repeatIntervalMs, isMuted, goesOn } = route;
  return (
    <li class={css.told} data-took={mismatch === null ? "" : undefined}>
      <span class={css.routeId} style={{ paddingInlineStart: `${depth * 20}px` }}>
        {route.route}
      </span>
      <span class={css.toldWords}>
        <strong>{matcherWords(matchers)}</strong> → {to.length === 0 ? "nobody" : to.join(", ")}
        <br />
        <span class="muted">
          together by {groupBy.join(", ") || "nothing"}, after {duration(groupWaitMs)}, again after{" "}
          {duration(repeatIntervalMs)}
          {goesOn && ", and on to the next"}
        </span>
      </span>
      {isMuted && <Chip tone="info">muted now</Chip>}
      {mismatch === null && <Chip tone="accent">takes it</Chip>}
      {typeof mismatch === "string" && <span class={css.mismatch}>{mismatch}</span>}
    </li>
  );
}
