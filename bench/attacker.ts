import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { own } from "../test/support/own-processes.ts";

/** Who asks for much and reads nothing, in a process of its own: its memory is not the server's. */
export class Attacker implements AsyncDisposable {
  readonly #process;

  constructor(url: string) {
    const script = fileURLToPath(new URL("unread-attacker.ts", import.meta.url));
    this.#process = own(
      spawn(process.execPath, [...process.execArgv, script, url], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
      "attacker",
    );
  }

  async ask(path: string): Promise<void> {
    const asked = once(this.#process.stdout, "data");
    this.#process.stdin.write(`${path}\n`);
    await asked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#process, "exit");
    this.#process.stdin.end();
    this.#process.kill("SIGKILL");
    await gone;
  }
}

interface Held {
  readonly resident: number;
  readonly counted: number;
}

/** What this process holds: without garbage, and without what V8 keeps at hand for more. */
export function held(): Held {
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, counted: heapUsed + external };
}

/** Bytes more than `before`: of all of the process, and of what V8 counts. */
export function grownSince(before: Held): Held {
  const now = held();
  return { resident: now.resident - before.resident, counted: now.counted - before.counted };
}

/**
 * Bytes more than `before`. Resident memory knows all, but not what was free before and is used now; V8 counts that,
 * but nothing of SQLite's: the larger of both.
 */
export function heldSince(before: Held): number {
  const { resident, counted } = grownSince(before);
  return Math.max(resident, counted);
}
