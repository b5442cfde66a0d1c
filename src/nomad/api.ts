import type { ResourceType } from "../schemas/resources.ts";
import type { Line } from "./lines.ts";

/** What the pollers need of Nomad's HTTP API. Implemented by `createNomadClient` (client.ts). */
export interface NomadApi {
  /** Lists a resource, blocking until its index passes `index` where one is given. Rejects with a NomadError. */
  list(request: ListRequest): Promise<ListResponse>;

  /** Whether the token may list the resource there: one cheap request. Rejects where Nomad cannot be asked. */
  mayList(resource: ResourceType, namespace: string, signal: AbortSignal): Promise<boolean>;

  /**
   * Whether a namespace exists: "present", "absent" (404), or "hidden" (the token may not know).
   */
  namespacePresence(name: string, signal: AbortSignal): Promise<"present" | "absent" | "hidden">;

  /** The same of a node pool. */
  nodePoolPresence(name: string, signal: AbortSignal): Promise<"present" | "absent" | "hidden">;

  /** When a namespace was created; "absent" and "hidden" as above, "hidden" also where Nomad does not say. */
  namespaceCreateIndex(name: string, signal: AbortSignal): Promise<bigint | "absent" | "hidden">;

  /**
   * Subscribes to the event stream; holds a connection of its own until it is disposed of. Resolves when Nomad has
   * accepted it. Rejects with a NomadError; one that is refused may reject with NOMAD_STREAM_DENIED.
   */
  events(request: EventStreamRequest): Promise<EventStream>;

  /** Ends idle connections and refuses new requests. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type Consistency = "default" | "stale";

export interface ListRequest {
  readonly resource: ResourceType;
  /** A name or "*" for namespaced resources, "-" for cluster-wide ones. */
  readonly namespace: string;
  /** Last index seen, in decimal; absent: answer at once. Below 1 becomes 1. */
  readonly index?: string;
  /** How long the server may hold the query, in ms. Only with `index`. */
  readonly waitMs?: number;
  /** Leaves out what this expression of Nomad's filter language is false for. Nomad before 1.3 ignores it. */
  readonly filter?: string;
  /**
   * Only objects whose id begins so, to the byte. For all but jobs Nomad wants an even number of hex digits, dashes
   * not counted. An object's whole id names it, and any other that goes on after it.
   */
  readonly prefix?: string;
  /** At most so many objects, the first by id; the index is the whole table's all the same. Nomad before 1.3 ignores it. */
  readonly perPage?: number;
  /** Size of the body, if it is like the last one: it is then gathered in place. */
  readonly likelyBytes?: number;
  /** Nobody waits for it: reading a large body leaves the process to others in between. */
  readonly unhurried?: boolean;
  /** Overrides the client's default. */
  readonly consistency?: Consistency;
  readonly signal: AbortSignal;
}

export interface ListResponse {
  /** Whole body, decompressed; `null` and empty bodies come as `[]`. */
  readonly body: Buffer;
  /** X-Nomad-Index, in decimal. */
  readonly index: string;
  readonly knownLeader: boolean;
  readonly lastContactMs: number;
  readonly consistency: Consistency;
  /** Address that answered, without credentials. */
  readonly address: string;
  /** Time from request to whole body, ms. */
  readonly elapsedMs: number;
  /** The same from when Nomad began to answer: how long it held the query is not in it. */
  readonly readMs: number;
}

export interface EventStreamRequest {
  /** "Job", "Allocation", …; at least one. */
  readonly topics: readonly string[];
  /** A name, or "*" for all that exist now: those to come are not heard. */
  readonly namespace: string;
  /**
   * From the first frame of this index on, if the server still has it, or else from the next or the last it has; absent:
   * from the oldest. In decimal.
   */
  readonly index?: string;
  readonly signal: AbortSignal;
}

export interface EventStream extends AsyncDisposable {
  /** Address that answered, without credentials. */
  readonly address: string;
  /**
   * Frames, word for word, without heartbeats; once only. It never returns: the end, also by silence, is a NomadError
   * that says the reason, or the aborted signal's.
   */
  lines(): AsyncIterable<Line>;
}
