import type { FeedHead, FeedLog, StoredDocument } from "../../feed/log.ts";
import { formatCursor } from "../../schemas/cursor.ts";
import {
  deliveryStatusSchema,
  type DeliveryDetails,
  type DeliveryStatus,
} from "../../schemas/delivery-schema.ts";
import type { DestinationConfig } from "../../schemas/destinations/index.ts";
import type { Standing } from "./delivery.ts";
import { consumerOf, DOCUMENTS, documentOf, parsePosition } from "./position.ts";

export interface OverviewDeps {
  readonly log: Pick<FeedLog, "head" | "times" | "documents" | "deadLetters">;
  readonly configured: () => ReadonlyMap<string, DestinationConfig>;
  /** Of what this process delivers. */
  readonly standing: (name: string) => Standing | undefined;
}

interface Now {
  readonly head: FeedHead;
  readonly nowMs: number;
}

/** How all deliveries stand, whoever delivers: those of others as their positions in the log tell. */
export class Overview {
  readonly #deps: OverviewDeps;

  constructor(deps: OverviewDeps) {
    this.#deps = deps;
  }

  async all(): Promise<DeliveryStatus[]> {
    const documents = await this.#deps.log.documents.list(DOCUMENTS);
    const kept = new Map(documents.map((document) => [document.name.slice(DOCUMENTS.length), document]));
    const names = [...new Set([...this.#deps.configured().keys(), ...kept.keys()])].toSorted();
    const now = await this.#now();
    const details = await Promise.all(names.map((name) => this.#tell(name, kept.get(name), now)));
    return details.map((one) => deliveryStatusSchema.parse(one));
  }

  /** Undefined where there is none of that name. */
  async one(name: string): Promise<DeliveryDetails | undefined> {
    const document = await this.#deps.log.documents.get(documentOf(name));
    if (document === undefined && !this.#deps.configured().has(name)) return undefined;
    return this.#tell(name, document, await this.#now());
  }

  async #now(): Promise<Now> {
    const { log } = this.#deps;
    return { head: await log.head(), nowMs: (await log.times()).nowMs };
  }

  async #tell(name: string, document: StoredDocument | undefined, now: Now): Promise<DeliveryDetails> {
    const { configured, standing, log } = this.#deps;
    const config = configured().get(name);
    const written = told(name, document, now);
    const own = standing(name);
    const known = own === undefined ? written : asPeopleSaid(own, written);
    return {
      name,
      kind: "events",
      waiting: null,
      messages: null,
      type: config?.settings.type ?? null,
      ...known,
      ...(config === undefined && { state: "removed" as const }),
      worker: document === undefined ? null : workerOf(document.owner),
      deadLetters: await log.deadLetters.count(consumerOf(name)),
    };
  }
}

/** By its position alone. */
function told(name: string, document: StoredDocument | undefined, { head, nowMs }: Now): Standing {
  const unknown = { target: null, attempts: null, outcomes: null, latency: null };
  if (document === undefined || document.text === null) {
    const nothing = {
      reason: null,
      since: null,
      cursor: null,
      recordedAt: null,
      lagEvents: null,
      lagMs: null,
    };
    return { ...unknown, ...nothing, state: "waiting" };
  }
  const { cursor, recordedAt, paused, circuit } = parsePosition(name, document.text);
  const lagEvents = cursor.epoch === head.epoch ? Math.max(0, head.sequence - cursor.sequence) : null;
  const sinceMs = recordedAt === null ? null : Math.max(0, nowMs - Date.parse(recordedAt));
  return {
    ...unknown,
    state: paused !== null ? "paused" : circuit === null ? "delivering" : "circuit-open",
    reason: paused === null ? (circuit?.reason ?? null) : paused.reason,
    since: paused?.at ?? circuit?.at ?? null,
    cursor: formatCursor(cursor),
    recordedAt,
    lagEvents,
    lagMs: lagEvents === 0 ? 0 : sinceMs,
  };
}

/** Who delivers takes notice of a pause or its end within a second; that people said so is true at once. */
function asPeopleSaid(own: Standing, { state, reason, since }: Standing): Standing {
  const isNoticed = (own.state === "paused") === (state === "paused");
  return isNoticed ? own : { ...own, state, reason, since };
}

/** An owner is a worker and how many times it began: "host/1/a#3". */
function workerOf(owner: string): string {
  return owner.replace(/#\d+$/, "");
}
