import { Client, type buildConnector } from "undici";
import { NomadError } from "./errors.ts";

/**
 * At most so many connections to one agent; requests beyond them wait in order of arrival. Nomad counts TCP
 * connections per client address (limits.http_max_conns_per_client, 100 by default), and over HTTP/1.1 each
 * request holds one until it is answered.
 *
 * undici's own pool opens a new connection for every aborted request, at the moment when Nomad still counts
 * the old one: hence clients of one connection each, destroyed when their request fails.
 */
export class Connections {
  readonly #open: () => Client;
  readonly #idle: Client[] = [];
  readonly #waiting = new Set<Waiting>();
  #room: number;
  #closed = false;

  constructor(origin: string, connect: buildConnector.connector, maxConnections: number) {
    this.#open = () => new Client(origin, { connect, pipelining: 1 });
    this.#room = maxConnections;
  }

  /** Rejects with the signal's reason, or with NOMAD_UNREACHABLE after `close`. Pair it with `giveBack`. */
  async take(signal: AbortSignal): Promise<Client> {
    if (this.#closed) throw closedError();
    signal.throwIfAborted();
    if (this.#room === 0) return this.#turn(signal);
    this.#room -= 1;
    return this.#idle.pop() ?? this.#open();
  }

  /** `usable`: the answer was read whole, so that the connection can take the next request. */
  giveBack(client: Client, usable: boolean): void {
    const kept = usable && !this.#closed;
    if (!kept) void client.destroy();
    const [next] = this.#waiting;
    if (next !== undefined) {
      next.go(kept ? client : this.#open());
      return;
    }
    this.#room += 1;
    if (kept) this.#idle.push(client);
  }

  /** Ends idle connections and refuses whoever waits; connections in use end when they are given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#waiting) waiting.refuse(closedError());
    await Promise.all(this.#idle.splice(0).map((client) => client.destroy()));
  }

  #turn(signal: AbortSignal): Promise<Client> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiting);
        signal.removeEventListener("abort", abort);
      };
      const waiting: Waiting = {
        go: (client) => {
          leave();
          resolve(client);
        },
        refuse: (reason) => {
          leave();
          reject(reason);
        },
      };
      const abort = () => waiting.refuse(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.add(waiting);
    });
  }
}

interface Waiting {
  go(client: Client): void;
  refuse(reason: Error): void;
}

function closedError(): NomadError {
  return new NomadError("NOMAD_UNREACHABLE", "The client of Nomad's API is closed", {
    retryable: false,
    hint: "Nothing to do: the process is shutting down",
  });
}
