import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { own } from "./own-processes.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

/** One line of the bridge's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface BridgeOptions {
  /** Absent: a file of configuration says it. */
  readonly nomadAddr?: string;
  /** Absent: a file of configuration says it. */
  readonly feed?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The bridge as users run it: a process of its own, on any free port, spoken to by HTTP and signals only. Start
 * it with `startBridgeProcess`; every test ends it with `stop` or `kill`.
 */
export class BridgeProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  #url: string | undefined;
  readonly #exited: Promise<number | null>;
  #hasExited = false;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#exited = once(child, "exit").then(([code]) => {
      this.#hasExited = true;
      return code as number | null;
    });
    if (child.stderr === null) throw new Error("the child's stderr is not piped");
    createInterface({ input: child.stderr }).on("line", (line) => this.#take(line));
  }

  /** Where it serves; resolves when it says so. Rejects with its log when it exits before. */
  async url(): Promise<string> {
    while (this.#url === undefined) {
      if (this.#hasExited) throw new Error(`the bridge ended before it served:\n${this.log()}`);
      await delay(10);
    }
    return this.#url;
  }

  /** Where it serves, as far as it has said so. */
  get servesAt(): string | undefined {
    return this.#hasExited ? undefined : this.#url;
  }

  /** Resolves when `/readyz` says ready. */
  async ready(): Promise<void> {
    const url = await this.url();
    for (;;) {
      if (this.#hasExited) throw new Error(`the bridge ended:\n${this.log()}`);
      const response = await fetch(`${url}/readyz`).catch(() => undefined);
      if (response?.ok === true) return;
      await delay(20);
    }
  }

  /** Ctrl-C; resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.child.kill("SIGINT");
    return this.#exited;
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#exited;
  }

  get exited(): Promise<number | null> {
    return this.#exited;
  }

  log(): string {
    return this.lines.map((line) => JSON.stringify(line)).join("\n");
  }

  #take(line: string): void {
    const parsed = parseLine(line);
    this.lines.push(parsed);
    const match = /serving (?:the feed|several feeds) at (\S+?)\/v1\//.exec(parsed.msg);
    if (match?.[1] !== undefined) this.#url = match[1];
  }
}

export function startBridgeProcess(options: BridgeOptions): BridgeProcess {
  const { nomadAddr, feed } = options;
  const args = [
    "--disable-warning=ExperimentalWarning",
    MAIN,
    "run",
    ...(nomadAddr === undefined ? [] : ["--nomad-addr", nomadAddr]),
    ...(feed === undefined ? [] : ["--feed", feed]),
    "--listen",
    "127.0.0.1:0",
    "--log-format",
    "json",
    "--log-level",
    "debug",
    ...(options.flags ?? []),
  ];
  const child = own(
    spawn(process.execPath, args, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", ...options.env },
    }),
    "bridge",
  );
  return new BridgeProcess(child);
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: "text", msg: line };
  }
}
