import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { own } from "../test/support/own-processes.ts";
import type { Change, FromNomad, ToNomad } from "./nomad-side.ts";

/** A simulated Nomad in a process of its own, so that what it costs is not measured. */
export class NomadProcess {
  readonly address: string;
  readonly #child: ChildProcess;

  static async start(allocations: number): Promise<NomadProcess> {
    const child = own(
      fork(join(import.meta.dirname, "nomad-side.ts"), [String(allocations)], {
        execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc"],
      }),
      "simulated Nomad",
    );
    const [ready] = (await once(child, "message")) as [FromNomad];
    if (ready.answer !== "ready") throw new Error("the simulator did not begin");
    return new NomadProcess(child, ready.address);
  }

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
  }

  /** Restarts a task of another allocation each time. */
  async change(): Promise<Change> {
    const told = await this.#ask({ ask: "change" }, "changed");
    return told.change;
  }

  /** Bytes written to all that asked, headers included. */
  async sentBytes(): Promise<number> {
    return (await this.#ask({ ask: "sent" }, "sent")).bytes;
  }

  async close(): Promise<void> {
    this.#child.send({ ask: "close" } satisfies ToNomad);
    await once(this.#child, "exit");
  }

  #ask<Kind extends FromNomad["answer"]>(
    message: ToNomad,
    kind: Kind,
  ): Promise<Extract<FromNomad, { answer: Kind }>> {
    return new Promise((resolve) => {
      const listen = (told: FromNomad) => {
        if (told.answer !== kind) return;
        this.#child.off("message", listen);
        resolve(told as Extract<FromNomad, { answer: Kind }>);
      };
      this.#child.on("message", listen);
      this.#child.send(message);
    });
  }
}
