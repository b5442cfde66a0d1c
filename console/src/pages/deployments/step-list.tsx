import { shownTime } from "../../app/as-of.ts";
import { eventHref } from "../../app/router.ts";
import { Empty, Failure, Notice, Panel, Skeleton } from "../../ui/panel.tsx";
import { Subject } from "../../ui/subject.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import css from "./steps.module.css";
import type { DeploymentFacts } from "../../rollouts/facts.ts";
import type { Step } from "./steps.ts";
import { useSteps } from "./use-steps.ts";

/** What happened, in order, each with its time since the beginning. */
export function StepList({ deployment }: { deployment: DeploymentFacts }) {
  const { steps, isWhole, missing, error } = useSteps(deployment, shownTime.value);
  const startMs = deployment.createdMs ?? steps[0]?.event.timeMs ?? 0;
  return (
    <Panel title="Steps" aside={isWhole ? count(steps.length, "step") : "reading"} flush>
      {error !== undefined && <Failure error={error} />}
      {steps.length > 0 && missing.map((words) => <Notice key={words}>{words}</Notice>)}
      {!isWhole && error === undefined && steps.length === 0 && <Skeleton lines={6} />}
      {isWhole && steps.length === 0 && (
        <Empty title="The log has nothing of it any more">It may be older than what is kept.</Empty>
      )}
      <ol class={css.steps} aria-label="Steps of the deployment">
        {steps.map((step) => (
          <StepLine key={step.event.cursor} step={step} startMs={startMs} />
        ))}
      </ol>
    </Panel>
  );
}

function StepLine({ step, startMs }: { step: Step; startMs: number }) {
  const { event, words, kind, tone, detail } = step;
  return (
    <li class={css.step} data-kind={kind} data-tone={tone}>
      <a class={css.offset} href={eventHref(event.cursor)} aria-label={`Event ${event.cursor}`}>
        {sinceStart(event.timeMs - startMs)}
      </a>
      <span class={css.dot} aria-hidden="true" />
      <span class={css.words}>{words}</span>
      <span class={css.subject}>
        <Subject subject={event.subject} name={event.name} />
      </span>
      <span class={css.detail} title={detail}>
        {detail}
      </span>
      <span class={css.clock}>
        <Time at={event.time} as="clock" />
      </span>
    </li>
  );
}

/** `+4.2 s`, `+1:07`, `+1:02:07`; before the beginning `−0.3 s`. */
function sinceStart(ms: number): string {
  const sign = ms < 0 ? "−" : "+";
  const seconds = Math.abs(ms) / 1000;
  if (seconds < 60) return `${sign}${seconds.toFixed(1)} s`;
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  const minutes = seconds / 60;
  return minutes < 60
    ? `${sign}${Math.floor(minutes)}:${two(seconds % 60)}`
    : `${sign}${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
