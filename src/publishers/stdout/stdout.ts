import type { StdoutSettings } from "../../schemas/destinations/stdout.ts";
import { abortable } from "../../shared/abortable.ts";
import { Turns } from "../../shared/turns.ts";
import type { Destination, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps, StandardOutput } from "../destination-deps.ts";
import { jsonLines } from "../json-lines.ts";

export async function openStdout(
  _settings: StdoutSettings,
  { stdout }: DestinationDeps,
): Promise<Destination> {
  return new StdoutDestination(stdout);
}

/**
 * Writes events as JSON lines to the process's standard output. A batch is taken when the system has it, and the next
 * one waits for that: a reader who does not keep up holds up the delivery, and fills nobody's memory.
 */
class StdoutDestination implements Destination {
  readonly target = "stdout";
  readonly #stdout: StandardOutput;
  readonly #turns = new Turns();

  constructor(stdout: StandardOutput) {
    this.#stdout = stdout;
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    try {
      await abortable(
        this.#turns.take(() => this.#write(batch, signal)),
        signal,
      );
      return { outcome: "ok" };
    } catch (error) {
      signal.throwIfAborted();
      return { outcome: "refused", why: "gone", reason: `nobody reads stdout: ${(error as Error).message}` };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The stream is the process's.
  }

  #write(batch: readonly Outgoing[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      this.#stdout.write(jsonLines(batch), (error) => (error == null ? resolve() : reject(error)));
    });
  }
}
