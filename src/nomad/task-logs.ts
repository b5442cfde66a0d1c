import type { NomadClientOptions } from "./options.ts";
import { Requester, type RequesterDeps } from "./requester.ts";

interface TaskRef {
  readonly namespace: string;
  readonly allocation: string;
  readonly task: string;
}

/** What tasks wrote to stderr, which stays on their nodes. */
export interface TaskLogs extends AsyncDisposable {
  /** The last bytes, as they are; undefined where there is no log, or none any more. Rejects with NomadError. */
  tail(ref: TaskRef, bytes: number, signal: AbortSignal): Promise<Buffer | undefined>;
}

/**
 * Reads logs through the servers, which ask the node. Has connections of its own, so that a node that does not answer
 * keeps nothing else waiting.
 * @throws NomadOptionInvalid
 */
export function createTaskLogs(options: NomadClientOptions, deps: RequesterDeps): TaskLogs {
  const requester = new Requester(options, deps);
  return {
    tail: async ({ namespace, allocation, task }, bytes, signal) => {
      const { body, refusal } = await requester.send({
        path: `/v1/client/fs/logs/${encodeURIComponent(allocation)}`,
        query: { namespace, task, type: "stderr", origin: "end", offset: String(bytes), plain: "true" },
        capability: "read-logs",
        namespace,
        signal,
      });
      if (refusal?.code === "NOMAD_NOT_FOUND") return undefined;
      if (refusal !== undefined) throw refusal;
      return body.subarray(-bytes);
    },
    [Symbol.asyncDispose]: () => requester[Symbol.asyncDispose](),
  };
}
