import { LogUnavailable } from "../errors.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Connection } from "./connection.ts";

/**
 * What a commit waits for: "async", that Redis has it; "replica", that a replica has it too; "fsync", that Redis has
 * forced it to its disk. A Redis without WAITAOF does the last by appendfsync "always", which is checked when the log
 * is opened.
 */
export type Durability = "async" | "replica" | "fsync";

interface Proof {
  readonly wait: readonly [command: string, ...args: number[]];
  readonly failure: string;
  readonly hint: string;
}

const PROOFS: Readonly<Record<Exclude<Durability, "async">, Proof>> = {
  replica: {
    wait: ["WAIT", 1, 2000],
    failure: "No replica has confirmed the commit",
    hint: "Check `redis-cli INFO replication`, or use --redis-durability async",
  },
  fsync: {
    wait: ["WAITAOF", 1, 0, 5000],
    failure: "The commit was not forced to the disk in time",
    hint: "Check the disk and `redis-cli INFO persistence`, or use --redis-durability async",
  },
};

const sharedProofs = new WeakMap<Connection, SharedProofs>();

/**
 * Waits until what this connection wrote is as durable as asked for. Call it in the same turn in which the reply of
 * the commit came: where the connection is another one before the proof is here, what was written may be gone with
 * the old master.
 * @throws LogUnavailable where it takes too long: the same commit may be tried again.
 */
export async function waitUntilDurable(
  connection: Connection,
  metaKey: string,
  { durability, clock }: { durability: Durability; clock: Pick<Clock, "now"> },
): Promise<void> {
  if (durability === "async") return;
  const { session } = connection;
  const proof = PROOFS[durability];
  if (durability === "fsync" && !(await connection.knows("WAITAOF"))) return;
  const own = sharedProofs.get(connection) ?? new SharedProofs();
  sharedProofs.set(connection, own);
  const proved = await own.share(() => ask(connection, { metaKey, proof, nowMs: clock.now() }));
  if (connection.session !== session) {
    throw new LogUnavailable(
      `The connection to Redis at ${connection.where} was lost before a commit was proved`,
    );
  }
  if (proved) return;
  throw new LogUnavailable(`Redis at ${connection.where}: ${proof.failure}`, { hint: proof.hint });
}

/**
 * A repeated commit writes nothing, perhaps on a new connection, for which Redis would wait for nothing: so something
 * is written first.
 */
async function ask(
  connection: Connection,
  { metaKey, proof: { wait }, nowMs }: { metaKey: string; proof: Proof; nowMs: number },
): Promise<boolean> {
  const [, reply] = await connection.each([["HSET", metaKey, "confirmed", nowMs], wait]);
  const [confirmations] = [reply].flat();
  return Number(confirmations) >= 1;
}

/** Redis holds a connection while it waits: one proof is under way, and the next is for all that came since. */
class SharedProofs {
  #current: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;

  share(prove: () => Promise<boolean>): Promise<boolean> {
    if (this.#next !== undefined) return this.#next;
    if (this.#current === undefined) return this.#begin(prove);
    const begin = () => {
      this.#next = undefined;
      return this.#begin(prove);
    };
    return (this.#next = this.#current.then(begin, begin));
  }

  #begin(prove: () => Promise<boolean>): Promise<boolean> {
    const current = prove();
    this.#current = current;
    const end = () => {
      if (this.#current === current) this.#current = undefined;
    };
    current.then(end, end);
    return current;
  }
}
