import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const children: ChildProcessByStdio<null, Readable, Readable>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** The program as a process of its own, with what it wrote so far. */
function start(...args: string[]) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const written = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (written.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (written.stderr += text));
  return { child, written, exit: once(child, "exit") };
}

describe("the process", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("ends in order at %s", async (signal) => {
    const { child, written, exit } = start("simulate", "--listen", "127.0.0.1:0");
    await until("the simulator", () => written.stdout.includes("listens on"));
    child.kill(signal);
    expect(await exit).toEqual([0, null]);
    expect(written.stderr).toBe("");
  });

  it("ends when nobody reads its output any more", async () => {
    const { child, written, exit } = start("demo", "--listen", "127.0.0.1:0", "--changes-per-second", "40");
    await until("an event", () => written.stdout.includes(".updated"));
    child.stdout.destroy();
    expect(await exit).toEqual([0, null]);
  });

  it("exits with the command's code", async () => {
    const { written, exit } = start("tial");
    expect(await exit).toEqual([2, null]);
    expect(written.stderr).toContain("Did you mean tail?");
  });
});
