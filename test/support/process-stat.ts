import { readdirSync, readFileSync } from "node:fs";

/** Of the kernel's clock for what it tells of processes: the same on all machines that we know. */
const TICKS_PER_SECOND = 100;

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

/** CPU time that a process has taken so far, its threads included, in steps of 10 ms; 0 where there is no such process. */
export function cpuMsOf(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * (1000 / TICKS_PER_SECOND);
}
