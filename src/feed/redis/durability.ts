import { LogUnavailable } from "../errors.ts";
import type { Connection } from "./connection.ts";

/**
 * What a commit waits for: "async", that Redis has it; "replica", that a replica has it too; "fsync", that Redis has
 * forced it to its disk: its appendfsync is "always", which is checked when the log is opened.
 */
export type Durability = "async" | "replica" | "fsync";

const WAIT_MS = 2000;

/**
 * Waits until what this connection wrote is as durable as asked for. A repeated commit writes nothing, perhaps on a
 * new connection, for which Redis would wait for nothing: so something is written first.
 * @throws LogUnavailable where it takes too long: the same commit may be tried again.
 */
export async function waitUntilDurable(
  connection: Connection,
  metaKey: string,
  durability: Durability,
): Promise<void> {
  if (durability !== "replica") return;
  const [, replicas] = await connection.each([
    ["HSET", metaKey, "confirmed", Date.now()],
    ["WAIT", 1, WAIT_MS],
  ]);
  if (Number(replicas) >= 1) return;
  throw new LogUnavailable(`No replica of Redis at ${connection.where} has confirmed the commit`, {
    hint: "Check `redis-cli INFO replication`, or use --redis-durability async",
  });
}
