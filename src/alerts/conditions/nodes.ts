import type { NodeRecord } from "../model/node.ts";
import type { Subjects } from "../model/subject.ts";
import { within } from "../model/window.ts";
import type { Answer, Asked, Finding } from "../rules/rule.ts";

type Node = Subjects["node"];

/** One that was drained, and is not to take anything, may go down. */
export function isDown({ node }: Node): Answer {
  const isExpected = node.isDrained && !node.isEligible;
  return node.status === "down" && !isExpected ? { finding: found(node, "lost") } : {};
}

export function isDisconnected({ node }: Node): Answer {
  return node.status === "disconnected" ? { finding: found(node, "unknown") } : {};
}

export function drainsSlowly({ node }: Node, { settings, now }: Asked): Answer {
  if (node.drainingSince === undefined) return {};
  const due = node.drainingSince + (settings.longerThanMs ?? 0);
  if (now < due) return { until: due };
  const finding = found(node, "leaving");
  return {
    finding: {
      ...finding,
      details: { ...finding.details, since: new Date(node.drainingSince).toISOString() },
    },
  };
}

/** Nomad counts what was told to stop as gone; the drain is over before it has ended. */
export function drainedIncompletely({ node }: Node): Answer {
  const isOver = node.isDrained && !node.isEligible && node.status !== "down";
  const finding = found(node, "leaving");
  return isOver && finding.count > 0 ? { finding } : {};
}

export function flaps({ node }: Node, { settings, now }: Asked): Answer {
  const { count, until } = within([node.losses], now, settings.withinMs ?? 0);
  const details = { nodeName: node.name, status: node.status };
  return { finding: count < (settings.atLeast ?? 1) ? undefined : { count, details }, until };
}

export function hasBrokenDriver({ node }: Node): Answer {
  const { size } = node.brokenDrivers;
  if (size === 0) return {};
  const why = [...node.brokenDrivers]
    .map(([name, words]) => (words === "" ? name : `${name}: ${words}`))
    .toSorted();
  return { finding: { count: size, details: { nodeName: node.name, why: why.join("; ") } } };
}

function found({ name, status, allocations }: NodeRecord, trouble: string): Finding {
  return { count: allocations.get(trouble) ?? 0, details: { nodeName: name, status } };
}
