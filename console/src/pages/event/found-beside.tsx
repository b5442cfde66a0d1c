import type { NodeDetails, SpecVersion, TaskLog } from "nomad-changefeed-client";
import { isChange } from "../../feed/event-facts.ts";
import { SpecDiff } from "../../rollouts/spec-diff.tsx";
import { Notice, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import css from "./found-beside.module.css";
import type { OpenEvent } from "./read-event.ts";

/** What the bridge found out beside the lists: what a job's versions changed, what a task wrote before it failed, what a node says. */
export function FoundBeside({ event }: Pick<OpenEvent, "event">) {
  if (!isChange(event)) return null;
  const { spec, log, node } = event.data;
  return (
    <>
      {spec !== undefined &&
        ("unavailable" in spec ? (
          <Notice>What changed in the specification was not found out: {spec.unavailable}.</Notice>
        ) : (
          <Version version={spec} />
        ))}
      {log !== undefined &&
        ("unavailable" in log ? (
          <Notice>What the task wrote was not found out: {log.unavailable}.</Notice>
        ) : (
          <LastLines log={log} />
        ))}
      {node !== undefined &&
        ("unavailable" in node ? (
          <Notice>What the node says of itself was not found out: {node.unavailable}.</Notice>
        ) : (
          <OfNode node={node} />
        ))}
    </>
  );
}

function Version({ version: { version, submittedAt, diff } }: { version: SpecVersion }) {
  return (
    <div class={css.part}>
      <Panel
        title={`What version ${version} changed`}
        aside={submittedAt !== null && <Time at={submittedAt} />}
      >
        {diff === null ? (
          <p class="muted">Nomad keeps no version before it.</p>
        ) : diff.changes.length + diff.omitted === 0 ? (
          <p class="muted">Nothing in the specification.</p>
        ) : (
          <SpecDiff changes={diff.changes} omitted={diff.omitted} />
        )}
      </Panel>
    </div>
  );
}

function LastLines({ log: { task, stream, exitCode, signal, lines } }: { log: TaskLog }) {
  const ended = [
    exitCode === undefined ? "" : `exit code ${exitCode}`,
    signal === undefined ? "" : `signal ${signal}`,
  ].filter((words) => words !== "");
  return (
    <div class={css.part}>
      <Panel title={`What ${task} wrote last to ${stream}`} aside={ended.join(", ")}>
        {lines.length === 0 ? <p class="muted">Nothing.</p> : <pre class={css.lines}>{lines.join("\n")}</pre>}
      </Panel>
    </div>
  );
}

function OfNode({ node: { events, changes = [], omitted = 0 } }: { node: NodeDetails }) {
  if (events.length + changes.length === 0) return null;
  const shown = changes.map(({ path, from, to }) => ({
    path,
    kind:
      from === undefined ? ("added" as const) : to === undefined ? ("deleted" as const) : ("edited" as const),
    old: from,
    new: to,
  }));
  return (
    <div class={css.part}>
      <Panel title="What the node says of itself">
        <ul class={css.events}>
          {events.map(({ message, subsystem, time }) => (
            <li key={`${time} ${message}`}>
              <Time at={time} /> <span class="muted">{subsystem}</span> {message}
            </li>
          ))}
        </ul>
        {changes.length > 0 && <SpecDiff changes={shown} omitted={omitted} />}
      </Panel>
    </div>
  );
}
