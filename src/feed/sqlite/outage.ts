import type { OutageChange } from "../log.ts";
import { appendEvents } from "./commit.ts";
import type { Connection } from "./connection.ts";
import { readMeta } from "./rows.ts";

export function outageOf(connection: Connection): string | null {
  const row = connection.get("SELECT * FROM meta WHERE one = 1");
  // Files of before have no such column.
  return row?.has("outage") ? row.textOrNull("outage") : null;
}

/** Appends the event in one transaction, as `FeedLog.tellOutage` says. */
export function tellOutage(
  connection: Connection,
  { from, to, event }: OutageChange,
  nowText: string,
): number | undefined {
  return connection.transaction(() => {
    if (outageOf(connection) !== from) return undefined;
    const meta = readMeta(connection);
    const sequence = meta.sequence + 1;
    const { bytes } = appendEvents(connection, [event], meta, nowText);
    connection.run("UPDATE meta SET sequence = ?, bytes = bytes + ?, outage = ? WHERE one = 1", [
      sequence,
      bytes,
      to,
    ]);
    return sequence;
  });
}
