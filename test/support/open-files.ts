import { readdir, readlink } from "node:fs/promises";

/** How many files below a folder this process has open. */
export async function openFilesBelow(root: string): Promise<number> {
  const numbers = await readdir("/proc/self/fd").catch(() => []);
  const targets = await Promise.all(numbers.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return targets.filter((target) => target.startsWith(root)).length;
}
