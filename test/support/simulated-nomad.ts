import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../packages/nomad-simulator/src/index.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly raw: Buffer;
  readonly text: string;
  /** X-Nomad-Index. */
  readonly index: number;
}

export interface SimulatedNomad extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly url: string;
  /** GET on a connection of its own. Rejects where the connection breaks. */
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
  /** Starts a query and waits until it sleeps. */
  sleep(path: string, headers?: Record<string, string>): Promise<{ answer: Promise<Answer> }>;
}

/** A simulator on loopback with a plain HTTP client that hides nothing. */
export async function simulatedNomad(options: SimulatorOptions = {}): Promise<SimulatedNomad> {
  const simulator = createSimulator(options);
  const url = await simulator.listen();
  const ask: SimulatedNomad["ask"] = (path, headers = {}, method = "GET") =>
    askOnce(`${url}${path}`, headers, method);
  return {
    simulator,
    url,
    ask,
    async sleep(path, headers) {
      const before = simulator.sleepers;
      const answer = ask(path, headers);
      answer.catch(() => {});
      while (simulator.sleepers === before) await new Promise((resolve) => setImmediate(resolve));
      return { answer };
    },
    [Symbol.asyncDispose]: () => simulator.close(),
  };
}

function askOnce(url: string, headers: Record<string, string>, method: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent: false, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const raw = Buffer.concat(chunks);
        const index = Number(response.headers["x-nomad-index"] ?? Number.NaN);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          raw,
          text: raw.toString(),
          index,
        });
      });
    });
    request.on("error", reject);
    request.end();
  });
}
