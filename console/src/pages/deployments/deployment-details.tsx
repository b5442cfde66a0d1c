import { shownTime } from "../../app/as-of.ts";
import { href } from "../../app/router.ts";
import { useLiveObjects } from "../../feed/use-live-objects.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { api } from "../../feed/api.ts";
import { isChange, type FeedItem } from "../../feed/event-facts.ts";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { duration } from "../../words/time.ts";
import { DeploymentState } from "../../rollouts/deployment-state.tsx";
import { deploymentFacts, type DeploymentFacts } from "../../rollouts/facts.ts";
import { JobVersions } from "../../rollouts/job-versions.tsx";
import { isAfter } from "../../words/cursor.ts";
import { partsOf } from "../../words/names.ts";
import { boundsOf, type ShownTime } from "../../words/shown-time.ts";
import { Deadline, JobLink } from "./deployment-line.tsx";
import css from "./deployments.module.css";
import { GroupBar } from "./group-bar.tsx";
import { StepList } from "./step-list.tsx";

/** One rollout: its groups, its steps, what its version changed. */
export function DeploymentDetails({ namespace, id }: { namespace: string; id: string }) {
  const subject = `deployments/${namespace}/${id}`;
  const objects = useLiveObjects({ type: "deployments", subjects: [subject] }, deploymentFacts);
  const { isWhole, error } = objects.status.value;
  const deployment = objects.rows.get(subject);
  return (
    <div class={css.page}>
      <nav aria-label="Way back">
        <a href={href(["deployments"])}>All deployments</a>
      </nav>
      {error !== undefined && <Failure error={error} retry={() => objects.restart()} />}
      {deployment !== undefined && <Details deployment={deployment} />}
      {deployment === undefined && isWhole && <Removed subject={subject} />}
      {deployment === undefined && !isWhole && error === undefined && <Skeleton lines={8} />}
    </div>
  );
}

/** Nomad forgets deployments; the log still has the last state of those that it saw go. */
function Removed({ subject }: { subject: string }) {
  const shown = shownTime.value;
  const isPast = shown.kind !== "now";
  const { value, error, reload } = useLoaded(`${subject} ${JSON.stringify(shown)}`, async (gone) =>
    shown.kind === "asking" ? undefined : lastStateOf(subject, shown, gone),
  );
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  if (value === undefined) return <Skeleton lines={8} />;
  if (value === null) {
    const id = <code>{partsOf(subject).key}</code>;
    return isPast ? (
      <Empty title="There was no such deployment then">
        Neither in Nomad at that time, nor in what the log has of before it. Its id is {id}.
      </Empty>
    ) : (
      <Empty title="There is no such deployment">
        Neither in Nomad nor in what the log still has. Its id is {id}.
      </Empty>
    );
  }
  const when = isPast ? "Nomad had removed it by then" : "Nomad has removed it since";
  return <Details deployment={value} note={`${when}; this is how it was last.`} />;
}

/** So many of the newest events are looked at for the last one that counts. */
const LATEST = 50;

async function lastStateOf(
  subject: string,
  shown: ShownTime,
  gone: AbortSignal,
): Promise<DeploymentFacts | null> {
  const { until, through } = boundsOf(shown);
  const query = { subject, limit: LATEST, ...(until !== undefined && { until }) };
  const events: readonly FeedItem[] = (await api(gone).history(query)).events;
  const event = events.find(({ cursor }) => !isAfter(cursor, through));
  if (event === undefined || !isChange(event)) return null;
  const { namespace, id } = event.data.resource;
  const stub = event.data.before ?? event.data.after;
  return stub === undefined
    ? null
    : deploymentFacts({
        subject,
        namespace,
        id,
        stub: stub as Parameters<typeof deploymentFacts>[0]["stub"],
      });
}

function Details({ deployment, note }: { deployment: DeploymentFacts; note?: string }) {
  const { id, namespace, version, description, groups, job } = deployment;
  return (
    <>
      <header class={css.detailHead}>
        <h1>
          <JobLink deployment={deployment} /> <span class="muted">version {version}</span>
        </h1>
        <DeploymentState deployment={deployment} />
        <Deadline deployment={deployment} />
        <p class={css.facts}>
          {description}. {note} <Span deployment={deployment} /> <span class="muted">in {namespace}, </span>
          <code>{id}</code>
        </p>
      </header>
      <Panel title="Groups" aside={groups.length > 1 ? `${groups.length} groups` : undefined}>
        <div class={css.groups}>
          {groups.map((group) => (
            <GroupBar key={group.name} group={group} />
          ))}
        </div>
      </Panel>
      <div class={css.columns}>
        <StepList deployment={deployment} />
        <JobVersions namespace={namespace} job={job} version={version} />
      </div>
    </>
  );
}

function Span({ deployment: { createdMs, modifiedMs, isOver } }: { deployment: DeploymentFacts }) {
  if (createdMs === null) return null;
  return (
    <span class="muted">
      Began <Time at={new Date(createdMs).toISOString()} as="clock" />
      {isOver && modifiedMs !== null ? `, took ${duration(modifiedMs - createdMs)}` : ""}
    </span>
  );
}
