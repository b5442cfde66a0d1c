import { isIPv6, Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { TokenBucket } from "../../shared/token-bucket.ts";
import { LimitReached, UrlTooLong } from "./errors.ts";

/** Absent: no such limit. */
export interface LimitOptions {
  /** Of everybody. */
  readonly connections?: number;
  /** Streams of one token. */
  readonly connectionsPerToken?: number;
  readonly connectionsPerAddress?: number;
  /** Requests a second of one address; twice as many may come at once. */
  readonly requestsPerSecond?: number;
}

const MAX_URL_BYTES = 8192;
/** Connections beyond those of an address that are kept for long enough to be told so. */
const CONNECTIONS_TO_BE_TOLD = 16;
const MAX_ADDRESSES = 50_000;

/** Keeps one client from taking what is there for all. Behind a proxy all of its clients are one address. */
export class Limits {
  readonly #options: LimitOptions;
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #sockets = new Map<string, Set<Socket>>();
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(options: LimitOptions, clock: Pick<Clock, "elapsed">) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Counts a connection as long as it is open. False: its address has far too many, and it is closed. */
  accept(socket: Socket): boolean {
    const address = addressOf(socket);
    const sockets = this.#sockets.get(address) ?? new Set();
    const { connectionsPerAddress = Number.POSITIVE_INFINITY } = this.#options;
    if (sockets.size >= connectionsPerAddress + CONNECTIONS_TO_BE_TOLD) {
      socket.destroy();
      return false;
    }
    this.#sockets.set(address, sockets.add(socket));
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) this.#sockets.delete(address);
    });
    return true;
  }

  /** @throws LimitReached, UrlTooLong */
  assertWithin({ url, socket }: { readonly url?: string | undefined; readonly socket: Socket }): void {
    if (Buffer.byteLength(url ?? "") > MAX_URL_BYTES) throw new UrlTooLong(MAX_URL_BYTES);
    const address = addressOf(socket);
    const { connectionsPerAddress = Number.POSITIVE_INFINITY } = this.#options;
    if ((this.#sockets.get(address)?.size ?? 0) > connectionsPerAddress) {
      throw new LimitReached(`More than ${connectionsPerAddress} connections come from your address`, {
        retryAfterSeconds: 10,
        hint: "Close some, or share one; --max-connections-per-address allows more",
      });
    }
    // What one feed of several is asked within the process was counted where it came in.
    if (socket instanceof Socket) this.#spend(address);
  }

  /** @throws LimitReached where the token has as many streams as it may. */
  assertRoom(open: number): void {
    const { connectionsPerToken = Number.POSITIVE_INFINITY } = this.#options;
    if (open < connectionsPerToken) return;
    throw new LimitReached(`This token has ${connectionsPerToken} streams open already`, {
      retryAfterSeconds: 10,
      hint: "Close some, or share one; --max-connections-per-token allows more",
    });
  }

  /** Two seconds' worth may come at once. */
  #spend(address: string): void {
    const { requestsPerSecond: rate } = this.#options;
    if (rate === undefined || this.#bucketOf(address, rate).tryTake()) return;
    throw new LimitReached(`More than ${rate} requests a second come from your address`, {
      retryAfterSeconds: 1,
      hint: "Keep a stream open in place of many requests; --max-requests-per-second allows more",
    });
  }

  #bucketOf(address: string, perSecond: number): TokenBucket {
    const known = this.#buckets.get(address);
    if (known !== undefined) return known;
    if (this.#buckets.size >= MAX_ADDRESSES) this.#buckets.clear();
    const bucket = new TokenBucket({ perSecond, burst: 2 * perSecond }, this.#clock);
    this.#buckets.set(address, bucket);
    return bucket;
  }
}

/** What limits count as one: an address of IPv4, or a /64 of IPv6, which one customer has. */
export function addressOf({ remoteAddress = "" }: Socket): string {
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const first = head === "" ? [] : head.split(":");
  if (tail === undefined) return first.slice(0, 4).join(":");
  const last = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return [...first, ...zeros, ...last].slice(0, 4).join(":");
}
