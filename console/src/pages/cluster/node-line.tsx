import type { Load } from "../../feed/use-loads.ts";
import { Chip } from "../../ui/chip.tsx";
import { Subject } from "../../ui/subject.tsx";
import css from "./cluster.module.css";
import { flapWords, type NodeFlaps } from "./flaps.ts";
import { drainWords, type NodeFacts } from "./node-facts.ts";

interface NodeLineProps {
  readonly node: NodeFacts;
  readonly load: Load;
  /** The fullest of its group has a full bar. */
  readonly most: number;
  /** Undefined: it stays as it is. */
  readonly flaps: NodeFlaps | undefined;
}

/** A node: how it is, and how many allocations it has. */
export function NodeLine({ node, load, most, flaps }: NodeLineProps) {
  const { subject, name, status, isEligible, isDraining, version, lastDrain } = node;
  const drain = drainWords(node, load);
  const by = lastDrain !== undefined && lastDrain.accessor !== "" ? `with token ${lastDrain.accessor}` : "";
  return (
    <li class={css.node}>
      <span class={css.nodeName}>
        <Subject subject={subject} name={name} />
      </span>
      <span class={css.nodeState}>
        {status === "ready" ? (
          <span class={isEligible ? css.ready : css.readyOut}>ready</span>
        ) : (
          <Chip tone={status === "initializing" ? "info" : "error"}>{status}</Chip>
        )}
      </span>
      <span class={css.nodeNotes}>
        {!isEligible && !isDraining && drain === undefined && <Chip tone="warn">not eligible</Chip>}
        {drain !== undefined && (
          <Chip tone={drain.isWrong ? "warn" : isDraining ? "info" : "plain"} title={by}>
            {drain.words}
          </Chip>
        )}
        {flaps !== undefined && (
          <Chip tone="warn" title="Within an hour">
            flapping: {flapWords(flaps)}
          </Chip>
        )}
      </span>
      <span class={css.nodeLoad}>
        <svg class={css.bar} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
          <rect class={css.track} width="100" height="6" />
          <rect class={css.running} width={(100 * load.running) / most} height="6" />
          <rect
            class={css.pending}
            x={(100 * load.running) / most}
            width={(100 * load.pending) / most}
            height="6"
          />
        </svg>
        <span class={css.loadWords}>
          {load.running} running{load.pending > 0 && `, ${load.pending} pending`}
        </span>
      </span>
      <span class={css.nodeVersion}>{version}</span>
    </li>
  );
}
