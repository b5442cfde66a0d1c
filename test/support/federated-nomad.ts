import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** An agent that passes queries on to the region they name, as a federated Nomad does. */
export interface FederatedNomad extends AsyncDisposable {
  readonly url: string;
  /** What `/v1/regions` lists. */
  regions: readonly string[];
}

/** `urls`: of a Nomad for each region; the first is the agent's own. */
export async function federatedNomad(urls: ReadonlyMap<string, string>): Promise<FederatedNomad> {
  const nomad = { regions: [...urls.keys()] as readonly string[] };
  const server = createServer((message, response) => {
    const url = new URL(message.url ?? "/", "http://nomad");
    if (url.pathname === "/v1/regions") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(nomad.regions));
      return;
    }
    const target = urls.get(url.searchParams.get("region") ?? "") ?? [...urls.values()][0];
    const asked = request(`${target}${message.url}`, { headers: message.headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.on("error", () => response.destroy());
    response.on("close", () => asked.destroy());
    asked.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(nomad, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
    },
  });
}
