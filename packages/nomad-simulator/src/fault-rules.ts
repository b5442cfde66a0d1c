import { ChangefeedError } from "../../../src/schemas/errors.ts";
import type { Random } from "./random.ts";

export const FAULT_KINDS = [
  "reset",
  "reset-blocked",
  "429",
  "500",
  "eof",
  "truncated-gzip",
  "slow-body",
  "wrong-content-type",
  "missing-index",
] as const;
/**
 * - reset: the connection is reset instead of an answer
 * - reset-blocked: the connection is reset once the query sleeps
 * - 429: the raw answer of the connection limit, then the connection closes
 * - 500: an internal error
 * - eof: the connection ends in the middle of the body
 * - truncated-gzip: a whole HTTP answer whose gzip stream is cut; only where the client takes gzip
 * - slow-body: the body trickles
 * - wrong-content-type: a proxy's HTML page with status 200
 * - missing-index: an answer without X-Nomad-Index
 */
type RequestFault = (typeof FAULT_KINDS)[number];

export const STREAM_FAULT_KINDS = [
  "frame-lost",
  "frame-twice",
  "frames-swapped",
  "stream-stalled",
  "stream-closed",
  "stream-denied",
  "buffer-emptied",
] as const;
/**
 * Faults of an event stream; each strikes where a frame is to be sent.
 * - frame-lost: the frame never comes
 * - frame-twice: the frame comes again at once
 * - frames-swapped: the frame comes after the next one
 * - stream-stalled: nothing comes for a while, no heartbeat either; then all of it
 * - stream-closed: the connection ends, the frame is unsent
 * - stream-denied: the connection ends, and the next subscription is denied
 * - buffer-emptied: the connection ends, and the server has forgotten every frame up to this one
 */
type StreamFault = (typeof STREAM_FAULT_KINDS)[number];

type FaultKind = RequestFault | StreamFault;

export interface FaultRule {
  readonly kind: FaultKind;
  /** Only the next so many matching requests. Default: all. */
  readonly times?: number;
  /** Only this path's resource: "jobs", "allocations", "namespace", "event", … Default: all. */
  readonly resource?: string;
  /** Only this value of the namespace parameter. */
  readonly namespace?: string;
  /** Chance that a matching request is hit, 0 to 1. Default 1. */
  readonly probability?: number;
  /**
   * reset-blocked: how long after the query went to sleep, ms. Default 0. slow-body: between chunks, default 20.
   * stream-stalled: how long, default 200.
   */
  readonly delayMs?: number;
  /** slow-body: bytes a chunk. Default: an eighth of the body. */
  readonly chunkBytes?: number;
}

export interface FaultHandle {
  /** Requests hit so far. */
  readonly hits: number;
  remove(): void;
}

export interface FaultTarget {
  readonly resource: string;
  readonly namespace: string;
  readonly acceptsGzip: boolean;
}

export type StreamRule = FaultRule & { readonly kind: StreamFault };

/** The faults in force. A request is hit by the first rule that matches and whose dice fall so. */
export class FaultRules {
  readonly #random: Random;
  readonly #rules = new Set<{ rule: FaultRule; hits: number }>();

  constructor(random: Random) {
    this.#random = random;
  }

  add(rule: FaultRule): FaultHandle {
    const entry = { rule, hits: 0 };
    this.#rules.add(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => this.#rules.delete(entry),
    };
  }

  clear(): void {
    this.#rules.clear();
  }

  /** What strikes a request. */
  draw(target: FaultTarget): FaultRule | undefined {
    return this.#draw((rule) => !isStreamRule(rule) && applies(rule, target));
  }

  /** What strikes a frame of an event stream. */
  drawFrame(target: FaultTarget): StreamRule | undefined {
    const rule = this.#draw((candidate) => isStreamRule(candidate) && applies(candidate, target));
    return rule !== undefined && isStreamRule(rule) ? rule : undefined;
  }

  #draw(fits: (rule: FaultRule) => boolean): FaultRule | undefined {
    for (const entry of this.#rules) {
      const { rule } = entry;
      if (!fits(rule) || !this.#random.chance(rule.probability ?? 1)) continue;
      entry.hits += 1;
      if (rule.times !== undefined && entry.hits >= rule.times) this.#rules.delete(entry);
      return rule;
    }
    return undefined;
  }
}

function isStreamRule(rule: FaultRule): rule is StreamRule {
  return isOneOf(STREAM_FAULT_KINDS, rule.kind);
}

function applies(rule: FaultRule, target: FaultTarget): boolean {
  if (rule.resource !== undefined && rule.resource !== target.resource) return false;
  if (rule.namespace !== undefined && rule.namespace !== target.namespace) return false;
  return rule.kind !== "truncated-gzip" || target.acceptsGzip;
}

export class InvalidFault extends ChangefeedError {
  readonly code = "SIMULATOR_INVALID_FAULT";
}

/** Reads `reset:0.01,429:0.01`. @throws InvalidFault */
export function parseFaults(text: string): FaultRule[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(parseFault);
}

function parseFault(part: string): FaultRule {
  const [kind, share = "1", ...rest] = part.split(":");
  const probability = Number(share);
  if (!isOneOf(FAULT_KINDS, kind) && !isOneOf(STREAM_FAULT_KINDS, kind)) {
    throw new InvalidFault(`faults: there is no fault "${kind}"`, {
      hint: `Use one of ${[...FAULT_KINDS, ...STREAM_FAULT_KINDS].join(", ")}.`,
    });
  }
  if (rest.length > 0 || share.trim() === "" || !(probability >= 0 && probability <= 1)) {
    throw new InvalidFault(`faults: "${part}" has no valid probability`, {
      hint: "Write <fault>:<probability>, the probability from 0 to 1, as in reset:0.01.",
    });
  }
  return { kind, probability };
}

function isOneOf<T extends string>(kinds: readonly T[], kind: string | undefined): kind is T {
  return (kinds as readonly (string | undefined)[]).includes(kind);
}
