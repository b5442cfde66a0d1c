import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync } from "node:fs";
import { statOf, type ProcessStat } from "./process-stat.ts";

/** Names the file in which everyone who takes part in a run of the tests notes what he starts. */
export const JOURNAL = "TEST_PROCESSES";

interface Started extends ProcessStat {
  readonly what: string;
}

const running = new Map<ChildProcess, string>();
process.once("exit", killAll);
// A signal ends a process without its exit event; vitest ends its workers with one.
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killAll();
    process.kill(process.pid, signal);
  });
}

function killAll(): void {
  for (const child of running.keys()) child.kill("SIGKILL");
}

/** Notes a process that was started here: it is killed at the latest when this one ends, unless that is killed itself. */
export function own<Child extends ChildProcess>(child: Child, what: string): Child {
  const forget = () => running.delete(child);
  running.set(child, what);
  child.once("exit", forget).once("error", forget);
  note(child, what);
  return child;
}

/** Ends it as a crash would, and answers when it has ended. Does nothing where it had, or there is none. */
export async function killed(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** What was started here and has not ended, for people: "bridge (process 123)". */
export function runningProcesses(): string[] {
  return [...running].map(([{ pid }, what]) => `${what} (process ${pid})`);
}

function note({ pid, spawnargs }: ChildProcess, what: string): void {
  const journal = process.env[JOURNAL];
  const stat = pid === undefined ? undefined : statOf(pid);
  if (journal === undefined || stat === undefined) return;
  const started: Started = { ...stat, what: `${what} of ${placeOf(new Error())}: ${spawnargs.join(" ")}` };
  appendFileSync(journal, `${JSON.stringify(started)}\n`);
}

/** The test that is on the stack, or the program. */
function placeOf({ stack }: Error): string {
  return /[\w/-]+\.test\.ts:\d+/.exec(stack ?? "")?.[0] ?? process.argv[1] ?? "a program";
}

/** Of the processes noted in this file, those that have not ended. */
export function survivorsIn(journal: string): Started[] {
  const lines = readFileSync(journal, "utf8").trim().split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Started)
    .filter(({ pid, startedAt }) => statOf(pid)?.startedAt === startedAt);
}
