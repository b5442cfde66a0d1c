import type { ChildProcess } from "node:child_process";

const running = new Map<ChildProcess, string>();
process.once("exit", () => {
  for (const child of running.keys()) child.kill("SIGKILL");
});

/** Notes a process that was started here: it is killed at the latest when this one exits. */
export function own<Child extends ChildProcess>(child: Child, what: string): Child {
  const forget = () => running.delete(child);
  running.set(child, what);
  child.once("exit", forget).once("error", forget);
  return child;
}

/** What was started here and has not ended, for people: "bridge (process 123)". */
export function runningProcesses(): string[] {
  return [...running].map(([{ pid }, what]) => `${what} (process ${pid})`);
}
