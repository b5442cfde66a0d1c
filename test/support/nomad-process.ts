import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { own } from "./own-processes.ts";

export interface Ports {
  readonly http: number;
  readonly rpc: number;
  readonly serf: number;
}

/** A real Nomad agent by the `agent.hcl` of its directory: it can be stopped, or killed, and started again. */
export class NomadProcess {
  readonly address: string;
  readonly #binary: string;
  readonly #directory: string;
  #child: ChildProcess | undefined;

  constructor(binary: string, directory: string, http: number) {
    this.#binary = binary;
    this.#directory = directory;
    this.address = `http://127.0.0.1:${http}`;
  }

  /** Does nothing where it runs. `binary`: of another version, on the same data. */
  start(binary = this.#binary): void {
    if (this.#child !== undefined) return;
    const args = ["agent", "-config", join(this.#directory, "agent.hcl")];
    const env = { PATH: process.env["PATH"] ?? "", HOME: this.#directory };
    this.#child = own(spawn(binary, args, { stdio: "ignore", env }), "nomad");
  }

  async end(signal: "SIGINT" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}
