import { isJsonObject, type JsonObject } from "../schemas/json.ts";
import { parsed } from "./inspection.ts";
import type { NomadClientOptions } from "./options.ts";
import { Requester, type RequesterDeps } from "./requester.ts";

/** Nodes with what their list leaves out: events, attributes, meta. */
export interface NodeReader extends AsyncDisposable {
  /** `GET /v1/node/<id>`; undefined where there is none. Rejects with NomadError. */
  read(id: string, signal: AbortSignal): Promise<JsonObject | undefined>;
}

/** @throws NomadOptionInvalid */
export function createNodeReader(options: NomadClientOptions, deps: RequesterDeps): NodeReader {
  const requester = new Requester(options, deps);
  return {
    read: async (id, signal) => {
      const path = `/v1/node/${encodeURIComponent(id)}`;
      const answer = await requester.send({ path, capability: "node:read", signal });
      if (answer.refusal?.code === "NOMAD_NOT_FOUND") return undefined;
      const node = parsed(answer);
      return isJsonObject(node) ? node : undefined;
    },
    [Symbol.asyncDispose]: () => requester[Symbol.asyncDispose](),
  };
}
