import type { Socket } from "node:net";

const MESSAGE = "Your IP is issuing too many concurrent connections, please rate limit your calls\n";
/** What Nomad writes, raw, to a connection over the limit. */
export const TOO_MANY_CONNECTIONS =
  "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\n" +
  `Content-Length: ${MESSAGE.length}\r\nConnection: close\r\n\r\n${MESSAGE}`;

const ANSWERS_PER_SECOND = 10;
const ANSWER_BURST = 100;

/**
 * Counts connections per client address. As in Nomad, a connection whose client left keeps its slot until
 * the query on it ends.
 */
export class ConnectionSlots {
  readonly #limit: number;
  readonly #perAddress = new Map<string, number>();
  readonly #busy = new Map<Socket, number>();
  readonly #hijacked = new WeakSet<Socket>();
  #answers = ANSWER_BURST;
  #refilledAt = performance.now();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Slots taken, of all addresses. */
  get taken(): number {
    return [...this.#perAddress.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Takes a slot for a new connection, or turns it away. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? "";
    const count = this.#perAddress.get(address) ?? 0;
    if (this.#limit > 0 && count >= this.#limit) {
      this.#refuse(socket);
      return false;
    }
    this.#perAddress.set(address, count + 1);
    socket.once("close", () => {
      if (!this.#busy.has(socket) && !this.#hijacked.has(socket)) this.#free(address);
    });
    return true;
  }

  /** Marks a query as running on the connection until the returned function is called. */
  occupy(socket: Socket): () => void {
    const address = socket.remoteAddress ?? "";
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1);
    return () => {
      const left = (this.#busy.get(socket) ?? 1) - 1;
      if (left > 0) {
        this.#busy.set(socket, left);
        return;
      }
      this.#busy.delete(socket);
      if (socket.closed && !this.#hijacked.has(socket)) this.#free(address);
    };
  }

  /** Gives the connection's slot back while it lives on: it is not Go's HTTP server's any more. */
  hijack(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    this.#hijacked.add(socket);
    this.#free(address);
  }

  #refuse(socket: Socket): void {
    const now = performance.now();
    this.#answers = Math.min(
      ANSWER_BURST,
      this.#answers + ((now - this.#refilledAt) / 1000) * ANSWERS_PER_SECOND,
    );
    this.#refilledAt = now;
    if (this.#answers < 1) {
      socket.destroy();
      return;
    }
    this.#answers -= 1;
    socket.write(TOO_MANY_CONNECTIONS);
    socket.destroySoon();
  }

  #free(address: string): void {
    const count = (this.#perAddress.get(address) ?? 1) - 1;
    if (count > 0) this.#perAddress.set(address, count);
    else this.#perAddress.delete(address);
  }
}
