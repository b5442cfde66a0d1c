import { signal } from "@preact/signals";
import type { ResourceType } from "nomad-changefeed-client";
import { api } from "../feed/api.ts";

export interface KnownObject {
  readonly subject: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** Objects that people know by name: jobs, nodes, namespaces. */
export const knownObjects = signal<readonly KnownObject[]>([]);

const MOST = 5000;
const MOST_BY_ID = 20;
const FRESH_MS = 30_000;
let readAtMs = 0;

/** Reads them, unless that was done a moment ago. What cannot be read is not offered. */
export async function readKnownObjects(): Promise<void> {
  if (Date.now() - readAtMs < FRESH_MS) return;
  readAtMs = Date.now();
  try {
    knownObjects.value = await objectsOf({ types: ["jobs", "nodes", "namespaces"] }, MOST);
  } catch {
    readAtMs = 0;
  }
}

/** Objects whose id begins so; none where that is no beginning of an id. */
export async function findById(id: string, gone: AbortSignal): Promise<readonly KnownObject[]> {
  if (!/^[0-9a-f]{4}[0-9a-f-]{0,32}$/.test(id)) return [];
  const types = ["allocations", "deployments", "evaluations", "nodes"] as const;
  return objectsOf({ types, filter: `resource.id matches "^${id}"` }, MOST_BY_ID, gone);
}

async function objectsOf(
  query: { readonly types: readonly ResourceType[]; readonly filter?: string },
  most: number,
  gone?: AbortSignal,
): Promise<KnownObject[]> {
  const objects: KnownObject[] = [];
  for await (const { subject, data } of await api(gone).state(query)) {
    const { type, namespace, id, name } = data.resource;
    objects.push({ subject, resource: type, namespace, name: name ?? id });
    if (objects.length === most) break;
  }
  return objects;
}
