import { shortName } from "../../words/names.ts";
import type { Track, Tracks } from "./lanes/track.ts";
import { text } from "./stubs.ts";

/** An object that has to do with another one. */
export interface Tie {
  /** What it is to it: "Took the place of". */
  readonly words: string;
  readonly subject: string;
  readonly name: string;
  /** How it is, or was at the moment that is shown, in a word. */
  readonly state: string;
}

/** Those that an object does not name itself: what named it, and what came of it. The facts have what it names. */
export function tiesOf(own: Track, tracks: Tracks): Tie[] {
  const all = [...tracks.values()].filter(({ subject }) => subject !== own.subject);
  switch (own.resource) {
    case "allocations":
      return [
        ...named("Took the place of", all, "allocations", "NextAllocation", own.key),
        ...deploymentOf(own, all),
        ...named("Preempted", all, "allocations", "PreemptedByAllocation", own.key),
      ];
    case "jobs":
      return [
        ...newest(all, "deployments", 3).map((track) => tie("Deployment", track)),
        ...newest(all, "evaluations", 3).map((track) => tie("Evaluation", track)),
      ];
    case "deployments":
      return named("Made by", all, "evaluations", "DeploymentID", own.key);
    case "evaluations":
      return [
        ...named("Led to", all, "evaluations", "PreviousEval", own.key),
        ...named("Placed", all, "allocations", "EvalID", own.key),
      ];
    default:
      return [];
  }
}

const MOST = 12;

function named(words: string, all: readonly Track[], resource: string, field: string, key: string): Tie[] {
  return all
    .filter(
      (track) => track.resource === resource && track.stub !== undefined && text(track.stub, field) === key,
    )
    .slice(0, MOST)
    .map((track) => tie(words, track));
}

/** The newest one of the version that it has. */
function deploymentOf({ stub }: Track, all: readonly Track[]): Tie[] {
  const version = stub === undefined ? "" : text(stub, "JobVersion");
  const [last] = newest(
    all.filter((track) => track.stub !== undefined && text(track.stub, "JobVersion") === version),
    "deployments",
    1,
  );
  return last === undefined ? [] : [tie("Deployment of its version", last)];
}

function newest(all: readonly Track[], resource: string, most: number): Track[] {
  return all
    .filter((track) => track.resource === resource)
    .toSorted((a, b) => (b.createdMs ?? 0) - (a.createdMs ?? 0))
    .slice(0, most);
}

function tie(words: string, { subject, resource, key, stub }: Track): Tie {
  const state = stub === undefined ? "" : text(stub, resource === "allocations" ? "ClientStatus" : "Status");
  const name = stub === undefined ? "" : text(stub, "Name");
  const version =
    resource === "deployments" && stub !== undefined ? ` (version ${text(stub, "JobVersion")})` : "";
  const id = shortName(key);
  return { words, subject, state, name: name === "" ? `${id}${version}` : `${id} ${name}` };
}
