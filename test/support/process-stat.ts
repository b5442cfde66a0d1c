import { readdirSync, readFileSync } from "node:fs";

/** A process as the kernel tells of it; it is the same one as long as `startedAt` is the same. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** In ticks of the kernel since it started itself. */
  readonly startedAt: number;
}

/** Undefined where there is no such process, or only what is left of one, or no /proc. */
export function statOf(pid: number): ProcessStat | undefined {
  const [state, parent, ...rest] = fieldsOf(pid);
  if (state === undefined || state === "Z") return undefined;
  return { pid, parent: Number(parent), startedAt: Number(rest[17]) };
}

/** From the third on, as in proc(5): the name before them may hold anything. */
function fieldsOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

export function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => statOf(one)?.parent === pid);
}
