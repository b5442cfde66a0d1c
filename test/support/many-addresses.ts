import { Agent, request } from "node:http";

/** Asks from an address of its own on loopback, as `127.0.0.2`. Answers the status. */
export class LoopbackClient implements Disposable {
  readonly #agent: Agent;
  readonly #localAddress: string;

  constructor(localAddress: string) {
    this.#localAddress = localAddress;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 100 });
  }

  ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
    return new Promise((resolve, reject) => {
      const options = { headers, agent: this.#agent, localAddress: this.#localAddress };
      request(url, options, (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
      })
        .once("error", reject)
        .end();
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
