import { useMemo } from "preact/hooks";
import { asOf, objectHref } from "../../app/router.ts";
import type { ReadObject } from "../../feed/live-objects.ts";
import { useLiveObjects } from "../../feed/use-live-objects.ts";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { Subject } from "../../ui/subject.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import { msOfNanos } from "../../words/nanos.ts";
import { placementReasons, waitingCount } from "../../words/placement.ts";
import css from "./cluster.module.css";

interface Blocked {
  readonly subject: string;
  readonly namespace: string;
  readonly job: string;
  readonly reasons: readonly string[];
  readonly waiting: number;
  /** Ms since 1970; Nomad tells of it since 0.12. */
  readonly sinceMs: number | null;
}

function blockedOf({ subject, namespace, stub }: ReadObject<"evaluations">): Blocked {
  return {
    subject,
    namespace,
    job: stub.JobID ?? "",
    reasons: placementReasons(stub),
    waiting: waitingCount(stub),
    sinceMs: msOfNanos(stub.CreateTime),
  };
}

/** What Nomad would place and cannot, with its reasons, the oldest first. */
export function BlockedPanel() {
  const blocked = useLiveObjects({ type: "evaluations", filter: 'Status == "blocked"' }, blockedOf);
  const { version, isWhole, error } = blocked.status.value;
  const inOrder = useMemo(
    () => [...blocked.rows.values()].toSorted((one, other) => (one.sinceMs ?? 0) - (other.sinceMs ?? 0)),
    [blocked, version],
  );
  const waiting = inOrder.reduce((sum, one) => sum + one.waiting, 0);
  return (
    <Panel
      title="Blocked evaluations"
      aside={isWhole ? `${inOrder.length} blocked, ${count(waiting, "allocation")} waiting` : "reading"}
      flush
    >
      {error !== undefined && <Failure error={error} retry={() => blocked.restart()} />}
      {!isWhole && error === undefined && <Skeleton lines={3} />}
      {isWhole && inOrder.length === 0 && <Empty title="Everything has found its place" />}
      <ul class={css.rows}>
        {inOrder.map((one) => (
          <BlockedLine key={one.subject} blocked={one} />
        ))}
      </ul>
    </Panel>
  );
}

function BlockedLine({
  blocked: { subject, namespace, job, reasons, waiting, sinceMs },
}: {
  blocked: Blocked;
}) {
  const isNow = asOf.value === "";
  return (
    <li class={css.blocked}>
      <span class={css.blockedHead}>
        <Subject subject={`jobs/${namespace}/${job}`} name={job} />
        <span class="muted">{namespace}</span>
        <span class={css.waiting}>{waiting} waiting</span>
        <span class={css.since}>
          {sinceMs !== null && (
            <a href={objectHref(subject)}>
              <Time at={new Date(sinceMs).toISOString()} as={isNow ? "age" : "clock"} />
            </a>
          )}
        </span>
      </span>
      <span class={css.reason}>{reasons.length === 0 ? "Nomad does not say why" : reasons.join("; ")}</span>
    </li>
  );
}
