import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../packages/nomad-simulator/src/random.ts";

/** A receiver of webhooks that fails in every way there is until it is calm, and remembers what it took. */
export class FailingWebhook implements AsyncDisposable {
  /** Ids of the events that it took, in order, repeated ones each time. */
  readonly taken: string[] = [];
  /** How often it failed, by how. */
  readonly failures = new Map<string, number>();
  isCalm = false;
  readonly #server: Server;
  readonly #random: Random;
  readonly #isPoisoned: (id: string) => boolean;

  private constructor(random: Random, isPoisoned: (id: string) => boolean) {
    this.#random = random;
    this.#isPoisoned = isPoisoned;
    this.#server = createServer((request, response) => {
      // Who goes away in the middle is what this is about.
      void this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async listen(random: Random, isPoisoned: (id: string) => boolean): Promise<FailingWebhook> {
    const webhook = new FailingWebhook(random, isPoisoned);
    webhook.#server.listen(0, "127.0.0.1");
    await once(webhook.#server, "listening");
    return webhook;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const dice = this.isCalm ? 99 : this.#random.between(0, 99);
    if (dice < 2) return this.#fail("reset", () => void request.socket.resetAndDestroy());
    const ids = idsIn(await bodyOf(request));
    await delay(this.isCalm ? 0 : this.#random.between(0, 10));
    if (dice < 5) return this.#fail("no answer", () => undefined);
    if (dice < 9) return this.#fail("500", () => void response.writeHead(500).end("try later"));
    if (dice < 12) {
      const after = String(this.#random.between(0, 2));
      return this.#fail("429", () => void response.writeHead(429, { "retry-after": after }).end());
    }
    if (dice < 13) return this.#fail("410", () => void response.writeHead(410).end());
    if (ids.some(this.#isPoisoned)) return void response.writeHead(400).end("cannot read that");
    this.taken.push(...ids);
    // It has it, and does not say so.
    if (dice < 15) return this.#fail("hangs in the body", () => void response.writeHead(200).write("o"));
    if (dice < 17) return this.#fail("reset after the body", () => void request.socket.resetAndDestroy());
    response.writeHead(204).end();
  }

  #fail(how: string, fail: () => void): void {
    this.failures.set(how, (this.failures.get(how) ?? 0) + 1);
    fail();
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function idsIn(body: string): string[] {
  const parsed = JSON.parse(body) as { id: string } | readonly { id: string }[];
  return [parsed].flat().map(({ id }) => id);
}
