import { Connection } from "./connection.ts";
import { inspect, truePath } from "./file.ts";
import { readMeta } from "./rows.ts";

/**
 * The source a log file belongs to, or undefined where there is no file yet.
 * @throws LogUnusable where the file is no log.
 */
export function sourceOfSqliteLog(path: string): string | undefined {
  const file = truePath(path);
  if (inspect(file, true) === "absent") return undefined;
  const connection = new Connection(file, { readOnly: true, busyMs: 250 });
  try {
    return readMeta(connection).source;
  } finally {
    connection.close();
  }
}
