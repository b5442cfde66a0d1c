import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { deadlineOf, type Clock } from "../../shared/clock.ts";
import type { Limits } from "../access/limits.ts";
import { refuseUpgrade } from "../refuse-upgrade.ts";
import { notOpen, notOpenTo } from "../waiting-room.ts";
import type { Answer, Mount, MountedServer } from "./mount.ts";
import { FEEDS_PATH } from "./paths.ts";

/** A feed that does not answer so long keeps the others from nobody. */
const ANSWER_WITHIN_MS = 2000;

interface FeedMountDeps {
  /** Of the process. */
  readonly url: string;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** One feed of the process, whether it is served at the moment or not. */
export class FeedMount implements Mount {
  readonly name: string;
  readonly url: string;
  readonly limits: Limits;
  awaited = "it starts";
  /** Why there is no such feed any more; undefined while there is. */
  #gone: string | undefined;
  readonly #clock: Clock;
  #server: MountedServer | undefined;

  constructor(name: string, { url, limits, clock }: FeedMountDeps) {
    this.name = name;
    this.url = `${url}${FEEDS_PATH}/${name}`;
    this.limits = limits;
    this.#clock = clock;
  }

  get gone(): string | undefined {
    return this.#gone;
  }

  /** It ends for good, whatever it still answers. */
  leave(why: string): void {
    this.#gone ??= why;
  }

  get isServed(): boolean {
    return this.#server !== undefined;
  }

  enter(server: MountedServer): () => void {
    this.#server = server;
    return () => {
      if (this.#server === server) this.#server = undefined;
    };
  }

  request(message: IncomingMessage, response: ServerResponse): void {
    if (this.#server !== undefined) {
      this.#server.request(message, response);
      return;
    }
    const { status, headers, body } = notOpenTo(message, this.awaited, this.#clock);
    response.writeHead(status, headers).end(body);
  }

  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#server === undefined) refuseUpgrade(socket, notOpen(this.awaited));
    else this.#server.upgrade(message, socket, head);
  }

  /** A connection to it within the process; undefined where it is not served. */
  connect(address: string): Duplex | undefined {
    return this.#server?.connect(address);
  }

  /** What it answers; undefined where it is not served, or does not answer in time. */
  async ask(path: string, message: IncomingMessage): Promise<Answer | undefined> {
    if (this.#server === undefined) return undefined;
    using deadline = deadlineOf(this.#clock, ANSWER_WITHIN_MS);
    const late = new Promise<undefined>((resolve) => {
      deadline.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    return Promise.race([this.#server.ask(path, message).catch(() => undefined), late]);
  }
}
