import type { Clock } from "../../shared/clock.ts";
import type { Connection } from "./connection.ts";

/** What each store beside the log is made of. */
export interface StoreParts {
  readonly connection: Connection;
  /** Of all keys of the feed. */
  readonly prefix: string;
  /** The connection, for a write. @throws LogUnusable where the log is open for reading only. */
  readonly writing: () => Connection;
  readonly clock: Pick<Clock, "now">;
}
