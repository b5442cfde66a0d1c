import type { Assignment } from "nomad-changefeed-client";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { assignments, isScope } from "../../feed/health.ts";
import { Chip } from "../../ui/chip.tsx";
import { Panel, Skeleton } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import css from "./cluster.module.css";

const DUTIES: Readonly<Record<string, string>> = {
  plan: "find namespaces, share the work out",
  trim: "remove old events",
  hints: "follow Nomad's event stream",
  alerts: "make alerts",
};

/** Who does what of the feed's work. */
export function WorkPanel() {
  const all = assignments.value;
  if (all === undefined) {
    return (
      <Panel title="Workers">
        <Skeleton lines={4} />
      </Panel>
    );
  }
  const undone = all.filter(({ state }) => state === "waiting");
  const workers = Map.groupBy(
    all.filter(({ worker }) => worker !== null),
    ({ worker }) => worker ?? "",
  );
  return (
    <Panel title="Workers" aside={count(workers.size, "worker")} flush>
      <ul class={css.rows}>
        {undone.length > 0 && (
          <li class={css.worker}>
            <Chip tone="error">nobody</Chip>
            <span class={css.duties}>{undone.map(({ assignment }) => assignment).join(", ")}</span>
          </li>
        )}
        <Connections />
        {[...workers].map(([worker, own]) => (
          <Worker key={worker} worker={worker} own={own} />
        ))}
      </ul>
    </Panel>
  );
}

const FORMATS = { websocket: "WebSocket", sse: "SSE", ndjson: "NDJSON" } as const;

/** Who follows the feed at the server that the page is of. */
function Connections() {
  const { value } = useLoaded("streams", (signal) => api(signal).streams(), { everyMs: 5000 });
  // An older bridge does not tell; nor is it told to who sees a part.
  if (value === undefined) return null;
  const open = value.reduce((sum, streams) => sum + streams.open, 0);
  return (
    <li class={css.worker}>
      <span class={css.workerName}>
        <strong>Connections</strong>
        <span class="muted">{count(open, "open stream")} at this server</span>
      </span>
      <ul class={css.duties} aria-label="Connections by format">
        {value.map(({ format, open: some }) => (
          <li key={format}>
            {some} {FORMATS[format]}
          </li>
        ))}
      </ul>
    </li>
  );
}

function Worker({ worker, own }: { worker: string; own: readonly Assignment[] }) {
  const scopes = own.filter(({ assignment }) => isScope(assignment));
  const duties = own.filter(({ assignment }) => !isScope(assignment));
  return (
    <li class={css.worker}>
      <span class={css.workerName}>
        <code>{worker}</code>
        <span class="muted">reads {count(scopes.length, "scope")}</span>
      </span>
      <ul class={css.duties} aria-label={`Duties of ${worker}`}>
        {duties.map(({ assignment, since, state }) => (
          <li key={assignment}>
            <strong>{assignment}</strong>{" "}
            <span class="muted">
              {DUTIES[assignment] ?? (assignment.startsWith("deliver/") ? "deliver" : "")}
              {since !== null && (
                <>
                  {", since "}
                  <Time at={since} as="clock" />
                </>
              )}
            </span>
            {state === "fenced" && <Chip tone="warn">by a process that shares no work</Chip>}
          </li>
        ))}
      </ul>
    </li>
  );
}
