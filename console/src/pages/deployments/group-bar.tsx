import { count } from "../../words/names.ts";
import css from "./deployments.module.css";
import type { GroupFacts } from "../../rollouts/facts.ts";

/** How far a group has come: of those that are wanted, the healthy, the failing, the placed. */
export function GroupBar({ group }: { group: GroupFacts }) {
  const { name, desired, healthy, unhealthy, placed } = group;
  const waiting = Math.max(0, placed - healthy - unhealthy);
  return (
    <div class={css.group}>
      <span class={css.groupName}>{name}</span>
      <svg class={css.bar} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class={css.track} width="100" height="8" />
        <rect class={css.healthy} width={share(healthy, desired)} height="8" />
        <rect
          class={css.unhealthy}
          x={share(healthy, desired)}
          width={share(unhealthy, desired)}
          height="8"
        />
        <rect
          class={css.placed}
          x={share(healthy + unhealthy, desired)}
          width={share(waiting, desired)}
          height="8"
        />
      </svg>
      <span class={css.groupWords}>{groupWords(group)}</span>
    </div>
  );
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(100, (100 * part) / whole);
}

function groupWords(group: GroupFacts): string {
  const { desired, healthy, unhealthy, placed, canaries, placedCanaries, isPromoted, autoPromotes } = group;
  const words = [`${healthy} of ${desired} healthy`];
  if (unhealthy > 0) words.push(`${unhealthy} unhealthy`);
  if (placed > healthy + unhealthy) words.push(`${placed - healthy - unhealthy} starting`);
  if (canaries > 0) {
    const how = isPromoted ? "promoted" : autoPromotes ? "promoted once healthy" : "not promoted";
    // Those that were replaced are among the placed ones.
    const placedOf = placedCanaries < canaries ? `${placedCanaries} of ` : "";
    words.push(`${placedOf}${count(canaries, "canary", "canaries")}, ${how}`);
  }
  return words.join(" · ");
}
