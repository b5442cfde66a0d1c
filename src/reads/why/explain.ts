import { numberOf, textOf } from "../../alerts/model/stub.ts";
import { RESOURCES, subjectOf } from "../../schemas/resources.ts";
import type { Why, WhyEdge, WhyNode } from "../../schemas/why-schema.ts";
import { named, type Facts, type ObjectFact } from "./facts.ts";
import { edgeOf, linksOf } from "./links.ts";
import { deploymentOf } from "./rollouts.ts";
import { nameOf } from "./event-words.ts";
import { MAX_STEPS, storyOf } from "./story.ts";
import { shortId } from "../../shared/short-id.ts";
import { timeIn } from "./times.ts";

/** Names of objects in one sentence. */
const NAMED = 5;

/** What is known around an object, as a chain and as a story. */
export function explain(facts: Facts): Why {
  const { objects } = facts;
  const story = storyOf(facts);
  const missing = [
    ...facts.missing,
    ...beginningsMissing(facts),
    ...(story.length > MAX_STEPS ? [`Only the newest ${MAX_STEPS} of ${story.length} steps are told`] : []),
  ];
  return {
    subject: subjectOf(facts.subject),
    asOf: facts.asOf,
    nodes: [...objects.values()].map(nodeOf),
    edges: edgesOf(objects),
    story: story.slice(-MAX_STEPS),
    complete: missing.length === 0,
    missing,
  };
}

/** Each once; only between objects that are shown. */
function edgesOf(objects: Facts["objects"]): WhyEdge[] {
  const edges = new Map<string, WhyEdge>();
  const links = [...objects.values()].flatMap((object) => [
    ...linksOf(object),
    ...deploymentOf(object, objects),
  ]);
  for (const edge of links.map(edgeOf)) {
    const name = `${edge.from} ${edge.relation} ${edge.to}`;
    if (objects.has(edge.from) && objects.has(edge.to) && !edges.has(name)) edges.set(name, edge);
  }
  return [...edges.values()];
}

function nodeOf(object: ObjectFact): WhyNode {
  const { ref, stub, events } = object;
  const last = events.at(-1);
  return {
    subject: subjectOf(ref),
    kind: RESOURCES[ref.resource].noun,
    label: labelOf(object),
    state: stateOf(object),
    time: last?.time ?? timeIn(stub, "ModifyTime") ?? timeIn(stub, "CreateTime") ?? null,
    ...(last !== undefined && { cursor: last.cursor }),
  };
}

function labelOf({ ref, stub }: ObjectFact): string {
  const name = textOf(stub, "Name");
  if (ref.resource === "allocations" && name !== "") return `${name} (${shortId(ref.key)})`;
  if (ref.resource === "deployments") return `${named(ref)} (version ${numberOf(stub, "JobVersion")})`;
  return nameOf(ref, stub);
}

function stateOf({ ref, stub, isGone }: ObjectFact): string {
  const gone = isGone ? ["gone"] : [];
  if (ref.resource === "allocations") {
    const desired = textOf(stub, "DesiredStatus");
    return [textOf(stub, "ClientStatus"), desired === "run" ? "" : `to ${desired}`, ...gone]
      .filter(isText)
      .join(", ");
  }
  const notes = [
    stub["Stop"] === true ? "stopped" : "",
    stub["Drain"] === true ? "draining" : "",
    stub["SchedulingEligibility"] === "ineligible" ? "ineligible" : "",
  ];
  return [textOf(stub, "Status"), ...notes, ...gone].filter(isText).join(", ");
}

function isText(text: string): boolean {
  return text !== "";
}

function beginningsMissing({ objects }: Facts): string[] {
  const begun = new Set(["create", "snapshot"]);
  const missing = [...objects.values()].filter(
    ({ ref, events }) =>
      ref.resource !== "nodes" && ref.resource !== "jobs" && !begun.has(events[0]?.op ?? ""),
  );
  if (missing.length === 0) return [];
  const names = missing.slice(0, NAMED).map(({ ref }) => named(ref));
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : "";
  return [`The log does not hold how these began: ${names.join(", ")}${more}`];
}
