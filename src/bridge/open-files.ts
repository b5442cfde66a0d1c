import { readFile } from "node:fs/promises";

/** Open files that clients' connections leave to the log, to Nomad's connections and to everything else. */
const SPARE_FILES = 256;
const LEAST_CONNECTIONS = 64;

/** How many connections clients may hold open so that files can still be opened; undefined where that is not known. */
export async function connectionsThatFit(limitsPath = "/proc/self/limits"): Promise<number | undefined> {
  const text = await readFile(limitsPath, "utf8").catch(() => "");
  const files = /^Max open files +(\d+) /m.exec(text)?.[1];
  return files === undefined ? undefined : Math.max(LEAST_CONNECTIONS, Number(files) - SPARE_FILES);
}
