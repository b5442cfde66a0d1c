import { useEffect, useRef } from "preact/hooks";
import { asOf, href } from "../../app/router.ts";
import { Subject } from "../../ui/subject.tsx";
import { Time } from "../../ui/time.tsx";
import { duration } from "../../words/time.ts";
import { now } from "../../app/clock.ts";
import { DeploymentState } from "../../rollouts/deployment-state.tsx";
import { deadlineOf, type DeploymentFacts } from "../../rollouts/facts.ts";
import css from "./deployments.module.css";
import { GroupBar } from "./group-bar.tsx";

/** One rollout of the board: which job, how far, until when. */
export function DeploymentLine({ deployment, isChosen }: { deployment: DeploymentFacts; isChosen: boolean }) {
  const line = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isChosen) line.current?.scrollIntoView({ block: "nearest" });
  }, [isChosen]);
  const { namespace, id, job, version, description, groups, createdMs } = deployment;
  return (
    <li ref={line} class={css.deployment} aria-current={isChosen ? "true" : undefined}>
      <div class={css.title}>
        <a class={css.link} href={href(["deployments", namespace, id])}>
          {job} <span class="muted">version {version}</span>
        </a>
        <DeploymentState deployment={deployment} />
        <span class={css.description} title={description}>
          {description}
        </span>
        <span class={css.when}>
          <Deadline deployment={deployment} />
          <span class="muted">
            {namespace}
            {createdMs !== null && (
              <>
                {" · "}
                <Time at={new Date(createdMs).toISOString()} />
              </>
            )}
          </span>
        </span>
      </div>
      {!deployment.isOver && (
        <div class={css.groups}>
          {groups.map((group) => (
            <GroupBar key={group.name} group={group} />
          ))}
        </div>
      )}
    </li>
  );
}

/** How long it has until Nomad gives it up. */
export function Deadline({ deployment }: { deployment: DeploymentFacts }) {
  const deadlineMs = deadlineOf(deployment);
  if (deadlineMs === null) return null;
  const at = new Date(deadlineMs).toISOString();
  if (asOf.value !== "") {
    return (
      <span class={css.deadline}>
        had to progress by <Time at={at} as="clock" />
      </span>
    );
  }
  const leftMs = deadlineMs - now.value;
  return (
    <span class={css.deadline} data-late={leftMs < 60_000 ? "" : undefined}>
      <time dateTime={at} title={`Progress deadline: ${at}`}>
        {leftMs > 0 ? `${duration(leftMs)} to progress` : `deadline passed ${duration(-leftMs)} ago`}
      </time>
    </span>
  );
}

export function JobLink({ deployment: { namespace, job } }: { deployment: DeploymentFacts }) {
  return <Subject subject={`jobs/${namespace}/${job}`} name={job} />;
}
