import type { FastifyInstance } from "fastify";
import { isLoopback, listenAddress } from "../shared/loopback.ts";
import { InsecureListen, ListenFailed } from "./errors.ts";

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly insecureNoAuth?: boolean;
  /** Whether who connects is asked who they are. */
  readonly authRequired?: boolean;
}

/** @throws InsecureListen where strangers could reach the server and nobody said that they may. */
export function assertMayListen({ host, insecureNoAuth = false, authRequired = false }: ListenOptions): void {
  if (!authRequired && !insecureNoAuth && !isLoopback(host)) throw new InsecureListen(host);
}

/**
 * The URL under which the server is reached.
 * @throws ListenFailed
 */
export async function listen(app: FastifyInstance, { host, port }: ListenOptions): Promise<string> {
  try {
    // One address, so that there is one server whose connections are known.
    return await app.listen({ host: listenAddress(host), port });
  } catch (error) {
    throw new ListenFailed(host, port, error);
  }
}
