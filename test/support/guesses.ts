import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { LoopbackClient } from "./many-addresses.ts";

/** Sends made-up tokens from several addresses, each with so many under way, until it is disposed of. */
export class Guessing implements AsyncDisposable {
  readonly statuses = new Map<number, number>();
  readonly #clients: LoopbackClient[];
  readonly #work: Promise<unknown>;
  #stopped = false;

  constructor(url: string, { addresses, atOnce }: { readonly addresses: number; readonly atOnce: number }) {
    this.#clients = Array.from({ length: addresses }, (_, n) => new LoopbackClient(`127.0.0.${n + 10}`));
    const loops = this.#clients.flatMap((client) =>
      Array.from({ length: atOnce }, () => this.#guess(`${url}/v1/events`, client)),
    );
    this.#work = Promise.all(loops);
  }

  async #guess(url: string, client: LoopbackClient): Promise<void> {
    while (!this.#stopped) {
      const status = await client.ask(url, { "x-nomad-token": randomUUID() }).catch(() => 0);
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      // Whoever is refused at once would else take the machine, not only the turns.
      if (status !== 401) await delay(200);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.#work;
  }
}
