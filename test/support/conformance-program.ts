import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Client, Outcome } from "./conformance.ts";
import { own } from "./own-processes.ts";

/** A client in another language, as the program that does one task a line. Loopback goes through no proxy. */
export function conformanceProgram(
  command: string,
  ...args: readonly string[]
): { readonly client: Client } & AsyncDisposable {
  const child = own(
    spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { PATH: process.env["PATH"] ?? "", PYTHONDONTWRITEBYTECODE: "1" },
    }),
    "a client's conformance program",
  );
  // Whoever waits for a line is told that it ended.
  child.stdin.on("error", () => undefined);
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async client(task) {
      child.stdin.write(`${JSON.stringify(task)}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error("the program ended; what it said is above");
      return JSON.parse(line.value) as Outcome;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
