import type {
  EventStream,
  EventStreamRequest,
  ListRequest,
  ListResponse,
  NomadApi,
} from "../../src/nomad/api.ts";
import { scopeName } from "../../src/schemas/scope.ts";
import { ScriptedStreams } from "./scripted-streams.ts";

interface Listing {
  index: number;
  body: string;
}

/**
 * Nomad as a test dictates it, list by list, where the moment matters more than the truth of the cluster (for
 * that there is the simulator). Blocks as Nomad does while the index is not above the one asked for.
 */
export class ScriptedNomad implements NomadApi {
  readonly requests: ListRequest[] = [];
  readonly streams = new ScriptedStreams();
  readonly hidden = new Set<string>();
  readonly absent = new Set<string>();
  /** When namespaces were created, where it was not at index 1. */
  readonly created = new Map<string, number>();
  readonly #lists = new Map<string, Listing>();
  readonly #failures: Error[] = [];
  readonly #hanging = new Set<string>();
  readonly #down = new Map<string, Error>();
  /** How long Nomad says that it held what it answers, ms. */
  heldMs = 0;
  /** Lists that wait to be released. */
  heldLists = 0;
  #listsHeld: PromiseWithResolvers<void> | null = null;
  #onChange = (): void => undefined;
  #changed = new Promise<void>((resolve) => {
    this.#onChange = resolve;
  });

  /** What `jobs/default` lists from now on. */
  set(scope: string, index: number, stubs: readonly object[]): void {
    this.setBody(scope, index, JSON.stringify(stubs));
  }

  /** The same as it is written, for what JSON.stringify does not write. */
  setBody(scope: string, index: number, body: string): void {
    this.#lists.set(scope, { index, body });
    this.#wake();
  }

  /** This list is not answered from now on. */
  hang(scope: string): void {
    this.#hanging.add(scope);
  }

  /** Whole lists that are asked for at once are answered late, with what was true when they were asked for. */
  holdLists(): void {
    this.#listsHeld ??= Promise.withResolvers();
  }

  releaseLists(): void {
    this.#listsHeld?.resolve();
    this.#listsHeld = null;
  }

  /** And is again. */
  answer(scope: string): void {
    this.#hanging.delete(scope);
    this.#wake();
  }

  /** The next list fails so, also one that is blocked now. */
  failNext(error: Error): void {
    this.#failures.push(error);
    this.#wake();
  }

  /** Every list, or that of one scope, fails so from now on, also those that are blocked now. */
  goDown(error: Error, scope = "*"): void {
    this.#down.set(scope, error);
    this.#wake();
  }

  comeBack(scope = "*"): void {
    this.#down.delete(scope);
  }

  async list(request: ListRequest): Promise<ListResponse> {
    this.requests.push(request);
    for (;;) {
      request.signal.throwIfAborted();
      if (this.#hanging.has(scopeName(request))) {
        await this.#untilChangeOr(request.signal);
        continue;
      }
      const failure = this.#failures.shift() ?? this.#down.get("*") ?? this.#down.get(scopeName(request));
      if (failure !== undefined) throw failure;
      const listing = this.#lists.get(scopeName(request)) ?? { index: 0, body: "[]" };
      if (request.index === undefined || listing.index > Number(request.index)) {
        const listed = paged(filtered(listing, request.filter), request);
        const response = { ...answer(listed), elapsedMs: this.heldMs };
        if (request.index === undefined && this.#listsHeld !== null)
          await this.#held(this.#listsHeld.promise);
        return response;
      }
      await this.#untilChangeOr(request.signal);
    }
  }

  events(request: EventStreamRequest): Promise<EventStream> {
    return this.streams.open(request);
  }

  async mayList(_resource: string, namespace: string): Promise<boolean> {
    return !this.hidden.has(namespace);
  }

  async namespacePresence(name: string, _signal?: AbortSignal): Promise<"present" | "absent" | "hidden"> {
    if (this.absent.has(name)) return "absent";
    return this.hidden.has(name) ? "hidden" : "present";
  }

  nodePoolPresence(name: string): Promise<"present" | "absent" | "hidden"> {
    return this.namespacePresence(name);
  }

  async namespaceCreateIndex(name: string): Promise<bigint | "absent" | "hidden"> {
    const presence = await this.namespacePresence(name);
    return presence === "present" ? BigInt(this.created.get(name) ?? 1) : presence;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wake();
  }

  async #held(released: Promise<void>): Promise<void> {
    this.heldLists++;
    await released;
    this.heldLists--;
  }

  #wake(): void {
    this.#onChange();
    this.#changed = new Promise<void>((resolve) => {
      this.#onChange = resolve;
    });
  }

  async #untilChangeOr(signal: AbortSignal): Promise<void> {
    const changed = this.#changed;
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    await Promise.race([changed, aborted.promise]);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Understands no more of the filter language than which namespaces it leaves out. */
function filtered(listing: Listing, filter = ""): Listing {
  if (filter === "") return listing;
  const out = new Set([...filter.matchAll(/Namespace != "([^"]*)"/g)].map((match) => match[1]));
  const stubs = JSON.parse(listing.body) as { Namespace: string }[];
  return { ...listing, body: JSON.stringify(stubs.filter((stub) => !out.has(stub.Namespace))) };
}

/** Of a list in the order of its objects' ids, which the test sees to. */
function paged(listing: Listing, { prefix, perPage, namespace }: ListRequest): Listing {
  if (prefix === undefined && perPage === undefined) return listing;
  const stubs = (JSON.parse(listing.body) as { ID: string; Namespace?: string }[])
    .filter(({ ID }) => ID.startsWith(prefix ?? ""))
    .filter(({ Namespace = namespace }) => namespace === "*" || namespace === "-" || Namespace === namespace);
  return { ...listing, body: JSON.stringify(stubs.slice(0, perPage)) };
}

function answer(listing: Listing): ListResponse {
  return {
    body: Buffer.from(listing.body),
    index: String(listing.index),
    knownLeader: true,
    lastContactMs: 0,
    consistency: "default",
    address: "http://scripted",
    elapsedMs: 0,
    readMs: 0,
  };
}
