import type { DeliveryDetails } from "nomad-changefeed-client";
import { href, queryValue, setQuery } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time } from "../../ui/time.tsx";
import { duration } from "../../words/time.ts";
import { Attempts } from "./attempts.tsx";
import { DeadLetters } from "./dead-letters.tsx";
import css from "./deliveries.module.css";
import { StateChip } from "./state-chip.tsx";
import { Steering } from "./steering.tsx";

const EVERY_MS = 3000;

/** One destination: how it goes, its last attempts with what was sent and answered, what it would not take. */
export function DeliveryView({ name }: { name: string }) {
  const loaded = useLoaded(`delivery ${name}`, (signal) => api(signal).delivery(name), { everyMs: EVERY_MS });
  const { value, error, reload } = loaded;
  const view = queryValue("view") === "dead" ? "dead" : "attempts";
  return (
    <div class={css.page}>
      <p>
        <a href={href(["deliveries"])} class="muted">
          Deliveries
        </a>
      </p>
      <header class={css.head}>
        <h1>{name}</h1>
        {value !== undefined && <StateChip state={value.state} />}
        {value !== undefined && <Steering delivery={value} onDone={reload} />}
      </header>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && <Skeleton lines={8} />}
      {value !== undefined && (
        <>
          <Standing delivery={value} />
          <Tabs
            label="What of the delivery"
            selected={view}
            onSelect={(id) => setQuery({ view: id === "dead" ? "dead" : null }, { replace: false })}
            tabs={[
              { id: "attempts", label: "Attempts" },
              { id: "dead", label: "Dead letters", count: value.deadLetters },
            ]}
          />
          {view === "attempts" ? (
            <Attempts delivery={value} />
          ) : (
            <DeadLetters delivery={value} onDone={reload} />
          )}
        </>
      )}
    </div>
  );
}

function Standing({ delivery }: { delivery: DeliveryDetails }) {
  const { type, target, reason, since, lagEvents, lagMs, recordedAt, worker, outcomes, latency, waiting } =
    delivery;
  const numbers: [label: string, value: string][] = [
    lagEvents === null
      ? ["messages waiting", (waiting ?? 0).toLocaleString("en")]
      : ["events behind", lagEvents.toLocaleString("en")],
    ["lag", lagMs === null ? "–" : duration(lagMs)],
    ...(outcomes === null
      ? []
      : ([
          ["delivered", outcomes.delivered.toLocaleString("en")],
          ["retried", outcomes.retried.toLocaleString("en")],
          ["parked", outcomes.parked.toLocaleString("en")],
        ] satisfies [string, string][])),
  ];
  return (
    <Panel>
      <p class={css.target}>
        {[type, target].filter((text) => text !== null).join(" · ")}
        {worker !== null && <span class="muted"> · by {worker}</span>}
      </p>
      {reason !== null && (
        <p class={css.reason}>
          {reason}
          {since !== null && (
            <span class="muted">
              {" "}
              since <Time at={since} as="clock" />
            </span>
          )}
        </p>
      )}
      <dl class={css.numbers}>
        {numbers.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {recordedAt !== null && (
          <div>
            <dt>has got events up to</dt>
            <dd>
              <Time at={recordedAt} as="clock" />
            </dd>
          </div>
        )}
      </dl>
      {latency !== null && <Latency latency={latency} />}
    </Panel>
  );
}

const PARTS = [
  ["recordedToPicked", "waited to be sent"],
  ["pickedToSent", "made ready"],
  ["sentToAnswered", "answered by the destination"],
] as const;

/** Where the time goes from the log to the answer, in three parts. */
function Latency({ latency }: { latency: NonNullable<DeliveryDetails["latency"]> }) {
  const longest = Math.max(1, ...PARTS.map(([name]) => latency[name].p99));
  return (
    <div class={css.latency}>
      <h3>Where the time goes</h3>
      {PARTS.map(([name, words]) => (
        <div key={name} class={css.latencyRow}>
          <span>{words}</span>
          <span class={css.bar} aria-hidden="true">
            <span class={css.barLong} style={{ width: `${(latency[name].p99 / longest) * 100}%` }} />
            <span class={css.barShort} style={{ width: `${(latency[name].p50 / longest) * 100}%` }} />
          </span>
          <span class={css.number}>
            {Math.round(latency[name].p50)} ms, slowest {Math.round(latency[name].p99)} ms
          </span>
        </div>
      ))}
    </div>
  );
}
