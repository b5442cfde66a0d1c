import { BlockList, isIP } from "node:net";
import type { FastifyInstance } from "fastify";
import { InsecureListen, ListenFailed } from "./errors.ts";

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly insecureNoAuth?: boolean;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === "localhost";
  return LOOPBACK.check(host, family === 6 ? "ipv6" : "ipv4");
}

/** @throws InsecureListen where strangers could reach the server and nobody said that they may. */
export function assertMayListen({ host, insecureNoAuth = false }: ListenOptions): void {
  if (!insecureNoAuth && !isLoopback(host)) throw new InsecureListen(host);
}

/**
 * The URL under which the server is reached.
 * @throws ListenFailed
 */
export async function listen(app: FastifyInstance, { host, port }: ListenOptions): Promise<string> {
  try {
    // One address, so that there is one server whose connections are known.
    return await app.listen({ host: host === "localhost" ? "127.0.0.1" : host, port });
  } catch (error) {
    throw new ListenFailed(host, port, error);
  }
}
