import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildGoProgram, goProgram } from "./go-program.ts";
import { own } from "./own-processes.ts";
import { PYTHON, pythonLacks } from "./python.ts";

export interface ClientEvent {
  readonly Topic: string;
  readonly Type: string;
  readonly Key: string;
  readonly Index: number;
  readonly Payload: unknown;
}

export interface ForeignClient {
  readonly name: string;
  /** Why it cannot run here. */
  readonly lacks: string | undefined;
  readonly command: readonly [string, ...string[]];
}

/** Programs that follow Nomad's event stream by packages which nobody here wrote. */
export function foreignClients(): ForeignClient[] {
  return [
    {
      name: "Nomad's own Go package",
      lacks: buildGoProgram("go-event-client").lacks,
      command: [goProgram("go-event-client")],
    },
    {
      name: "python-nomad",
      lacks: pythonLacks("nomad"),
      command: [PYTHON, join(import.meta.dirname, "python-event-client.py")],
    },
  ];
}

/** One that runs, and what it was told. */
export class RunningClient implements Disposable {
  readonly events: ClientEvent[] = [];
  readonly #child: ChildProcess;

  constructor(
    { name, command: [program, ...args] }: ForeignClient,
    {
      address,
      index = 0,
      topics = [],
      token,
    }: { address: string; index?: number; topics?: readonly string[]; token?: string | undefined },
  ) {
    this.#child = own(
      spawn(program, [...args, String(index), ...topics], {
        env: { ...process.env, NOMAD_ADDR: address, ...(token !== undefined && { NOMAD_TOKEN: token }) },
        stdio: ["ignore", "pipe", "inherit"],
      }),
      name,
    );
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("its output is not piped");
    createInterface({ input: stdout }).on("line", (line) =>
      this.events.push(JSON.parse(line) as ClientEvent),
    );
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
