import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { objectOf, parseExact, type Json } from "../../src/schemas/json.ts";
import { own } from "./own-processes.ts";
import { until } from "./until.ts";

/**
 * A client in another language, as a program that follows a feed and its state: clients/python/tests/follow.py and
 * clients/go/internal/follow. What it was given, and what it holds.
 */
export class FollowingClient {
  readonly events: string[] = [];
  readonly child: ChildProcess;
  #state: Map<string, Json> | undefined;
  #isStateNext = false;

  constructor(url: string, [program, ...args]: readonly [string, ...string[]]) {
    const env = { PATH: process.env["PATH"] ?? "", PYTHONDONTWRITEBYTECODE: "1" };
    const child = own(
      spawn(program, [...args, url], { stdio: ["pipe", "pipe", "inherit"], env }),
      "a client that follows",
    );
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    this.child = child;
  }

  /** Nomad's objects as the client holds them, every digit. */
  async state(): Promise<Map<string, Json>> {
    this.#state = undefined;
    this.child.stdin?.write("\n");
    return until("the state is told", () => this.#state);
  }

  async end(): Promise<unknown> {
    this.child.stdin?.end();
    const [code] = (await once(this.child, "exit")) as unknown[];
    return code;
  }

  #take(line: string): void {
    if (this.#isStateNext) this.#state = new Map(Object.entries(objectOf(parseExact(line))));
    else if (line !== "") this.events.push(line);
    this.#isStateNext = line === "";
  }
}
