import type { Scope } from "../../schemas/scope.ts";
import { topicsFor } from "./explained.ts";
import type { StreamTopic } from "./hint.ts";

/** What a stream was asked for. */
export interface Coverage {
  readonly topics: ReadonlySet<StreamTopic>;
  readonly namespaces: ReadonlySet<string>;
}

export function coverageOf(scopes: readonly Scope[]): Coverage {
  return {
    topics: new Set(scopes.flatMap(({ resource }) => topicsFor(resource))),
    namespaces: new Set(scopes.map(({ namespace }) => namespace)),
  };
}

export function isCovered({ resource, namespace }: Scope, { topics, namespaces }: Coverage): boolean {
  return namespaces.has(namespace) && topicsFor(resource).every((topic) => topics.has(topic));
}
