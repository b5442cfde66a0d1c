import { useMemo, useState } from "preact/hooks";
import { RequestFailed, type JobVersion } from "nomad-changefeed-client";
import { shownTime } from "../app/as-of.ts";
import { href } from "../app/router.ts";
import { api } from "../feed/api.ts";
import { useLiveObjects } from "../feed/use-live-objects.ts";
import { useLoaded } from "../feed/use-loaded.ts";
import { Chip } from "../ui/chip.tsx";
import { Icon } from "../ui/icon.tsx";
import { Empty, Failure, Notice, Panel, Skeleton } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { count } from "../words/names.ts";
import type { ShownTime } from "../words/shown-time.ts";
import { submittedBy } from "./submitted-by.ts";
import { duration } from "../words/time.ts";
import { DeploymentState } from "./deployment-state.tsx";
import { deploymentFacts, type DeploymentFacts } from "./facts.ts";
import css from "./job-versions.module.css";
import { SpecDiff } from "./spec-diff.tsx";

interface JobVersionsProps {
  readonly namespace: string;
  readonly job: string;
  /** The one to show open; undefined: the newest. */
  readonly version: number | undefined;
}

/**
 * The versions of a job that Nomad keeps, each with what it changed in the one before. Nomad tells of them as they are
 * now: of the past there are those that had been submitted by then.
 */
export function JobVersions({ namespace, job, version }: JobVersionsProps) {
  const key = `${namespace}/${job}`;
  const rollouts = useRollouts(namespace, job);
  const { value, error, reload } = useLoaded(
    key,
    async (signal) => (await api(signal).jobVersions({ namespace, job })).versions,
  );
  const shown = shownTime.value;
  const isPast = shown.kind !== "now";
  const known = value && shown.kind !== "asking" ? submittedBy(value, shown) : undefined;
  const opened = version ?? known?.[0]?.version;
  return (
    <Panel title="Specification" aside={known && count(known.length, "version")} flush>
      {error !== undefined && <Unread error={error} retry={reload} />}
      {known === undefined && error === undefined && <Skeleton lines={5} />}
      {isPast && known !== undefined && <Notice>{pastWords(shown)}</Notice>}
      {known?.map((one) => (
        <Version
          key={one.version}
          version={one}
          isOpen={one.version === opened}
          isPast={isPast}
          rollout={rollouts.get(one.version)}
        />
      ))}
      {known !== undefined && !known.some((one) => one.version === opened) && (
        <Empty
          title={
            version === undefined
              ? "Nomad keeps no version of then"
              : `Nomad does not keep version ${version} any more`
          }
        >
          It keeps the last few of each job.
        </Empty>
      )}
    </Panel>
  );
}

function pastWords(shown: ShownTime): string {
  return shown.kind === "then"
    ? "Nomad tells of versions as they are now. Those submitted later are left out, and so is what became of them."
    : "When that was cannot be told: these are the versions that Nomad keeps now.";
}

function Unread({ error, retry }: { error: unknown; retry: () => void }) {
  if (!(error instanceof RequestFailed) || error.status !== 404)
    return <Failure error={error} retry={retry} />;
  return error.code === "NO_JOB" ? (
    <Empty title="Nomad has the job no longer">
      Its specification went with it, or is not for your token.
    </Empty>
  ) : (
    <Empty title="This bridge does not read specifications">A newer one does.</Empty>
  );
}

/** The newest deployment of each version, as far as Nomad still has it. */
function useRollouts(namespace: string, job: string): ReadonlyMap<number, DeploymentFacts> {
  const filter = `JobID == ${JSON.stringify(job)}`;
  const objects = useLiveObjects({ type: "deployments", namespaces: [namespace], filter }, deploymentFacts);
  const { version } = objects.status.value;
  return useMemo(() => {
    const inOrder = [...objects.rows.values()].toSorted(
      (one, other) => (one.createdMs ?? 0) - (other.createdMs ?? 0),
    );
    return new Map(inOrder.map((rollout) => [rollout.version, rollout]));
  }, [objects, version]);
}

interface VersionProps {
  readonly version: JobVersion;
  readonly isOpen: boolean;
  /** Whether it is stable or stopped is known of now alone. */
  readonly isPast: boolean;
  readonly rollout: DeploymentFacts | undefined;
}

function Version({ version: one, isOpen, isPast, rollout }: VersionProps) {
  const [opened, setOpened] = useState(isOpen);
  const { version, submittedAt, stable, stopped, diff } = one;
  const changes = diff?.changes ?? [];
  const words =
    diff === null
      ? "the oldest that Nomad keeps"
      : changes.length === 0
        ? "nothing changed"
        : count(changes.length + diff.omitted, "change");
  return (
    <section class={css.version} aria-label={`Version ${version}`} data-current={isOpen ? "" : undefined}>
      <div class={css.head}>
        <button
          type="button"
          class={css.toggle}
          aria-expanded={opened}
          disabled={changes.length === 0}
          onClick={() => setOpened(!opened)}
        >
          <Icon name={opened && changes.length > 0 ? "down" : "right"} size={12} />
          <strong>version {version}</strong>
          {stable && !isPast && <Chip>stable</Chip>}
          {stopped && !isPast && <Chip>stopped</Chip>}
          <span class={css.words}>{words}</span>
        </button>
        {rollout !== undefined && <Outcome rollout={rollout} />}
        {submittedAt !== null && (
          <span class={css.when}>
            <Time at={submittedAt} />
          </span>
        )}
      </div>
      {opened && changes.length > 0 && <SpecDiff changes={changes} omitted={diff?.omitted ?? 0} />}
    </section>
  );
}

/** How its deployment went, and how long it took. */
function Outcome({ rollout }: { rollout: DeploymentFacts }) {
  const { namespace, id, createdMs, modifiedMs, isOver } = rollout;
  const took = isOver && createdMs !== null && modifiedMs !== null ? duration(modifiedMs - createdMs) : "";
  return (
    <a class={css.outcome} href={href(["deployments", namespace, id])} title={`Deployment ${id}`}>
      <DeploymentState deployment={rollout} /> {took !== "" && `in ${took}`}
    </a>
  );
}
