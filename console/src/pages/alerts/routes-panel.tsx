import type { AlertRoute, Alerts, AlertTest, RoutedAlert, Severity } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { Chip } from "../../ui/chip.tsx";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { SEVERITIES } from "../../ui/severity.tsx";
import { duration } from "../../words/time.ts";
import css from "./alerts.module.css";
import { Field } from "./silence-dialog.tsx";
import { matcherWords } from "./silences-panel.tsx";

const WRITTEN = "written";

/** Who is told of what, and a try of it: nobody is told. */
export function RoutesPanel({ alerts }: { alerts: Alerts | undefined }) {
  const all = [...(alerts?.alerts ?? []), ...(alerts?.ended ?? [])];
  const [chosen, choose] = useState("");
  const [rule, setRule] = useState("NodeDown");
  const [severity, setSeverity] = useState<Severity>("ERROR");
  const [labels, setLabels] = useState("namespace=default");
  const test = testOf(chosen, { rule, severity, labels });
  const loaded = useLoaded(`routes ${JSON.stringify(test)}`, (signal) => api(signal).alertRoutes(test));
  if (loaded.error !== undefined) return <Failure error={loaded.error} retry={loaded.reload} />;
  const { value } = loaded;
  return (
    <>
      <Panel title="Where would an alert go?" aside="Nobody is told by trying">
        <div class={css.form}>
          <label class={css.field}>
            <span>Alert</span>
            <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
              <option value="">Choose one</option>
              <option value={WRITTEN}>One that does not exist…</option>
              {all.slice(0, 200).map(({ id, summary, startsAt }) => (
                <option key={`${id}${startsAt}`} value={id}>
                  {summary.slice(0, 100)}
                </option>
              ))}
            </select>
          </label>
          {chosen === WRITTEN && (
            <>
              <Field label="Rule" hint="As NodeDown" value={rule} onInput={setRule} />
              <label class={css.field}>
                <span>Severity</span>
                <select
                  value={severity}
                  onChange={(event) => setSeverity(event.currentTarget.value as Severity)}
                >
                  {SEVERITIES.map((name) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              </label>
              <Field label="Labels" hint="namespace=prod,job=web" value={labels} onInput={setLabels} mono />
            </>
          )}
          {value?.tested && <Tested tested={value.tested} />}
        </div>
      </Panel>
      <Panel title="Routes" aside="asked from top to bottom" flush>
        {value === undefined ? <Skeleton /> : <RouteTree routes={value.routes} tested={value.tested} />}
      </Panel>
    </>
  );
}

function testOf(chosen: string, written: { rule: string; severity: Severity; labels: string }): AlertTest {
  if (chosen === "") return {};
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
