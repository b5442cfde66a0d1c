import { resolve } from "node:path";
import type { FileSettings } from "../../schemas/destinations/file.ts";
import { abortable } from "../../shared/abortable.ts";
import { Turns } from "../../shared/turns.ts";
import type { Destination, Outgoing, SendResult } from "../delivery/destination.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { diskResult } from "../disk-result.ts";
import { jsonLines } from "../json-lines.ts";
import { FileUnusable } from "./errors.ts";
import { LinesFile } from "./lines-file.ts";

/** Opens nothing yet: the first `send` does. */
export async function openFile(settings: FileSettings, deps: DestinationDeps): Promise<Destination> {
  return new FileDestination(settings, deps);
}

/** Appends events as JSON lines, a batch whole or not at all. One batch after the other, as they are given. */
class FileDestination implements Destination {
  readonly target: string;
  readonly #file: LinesFile;
  readonly #turns = new Turns();

  constructor({ path, rotate, fsync }: FileSettings, { logger }: DestinationDeps) {
    this.target = resolve(path);
    const onRepair = (bytes: number) =>
      logger.warn({ path: this.target, bytes }, "cut off a line that a killed writer left without its end");
    this.#file = new LinesFile({
      path: this.target,
      maxBytes: rotate.bytes,
      keep: rotate.keep,
      syncs: fsync === "batch",
      onRepair,
    });
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    try {
      await abortable(
        this.#turns.take(() => this.#append(batch, signal)),
        signal,
      );
      return { outcome: "ok" };
    } catch (error) {
      signal.throwIfAborted();
      return resultOf(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.take(() => this.#file[Symbol.asyncDispose]());
  }

  async #append(batch: readonly Outgoing[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#file.append(jsonLines(batch), signal);
  }
}

function resultOf(error: unknown): SendResult {
  if (!(error instanceof FileUnusable)) return diskResult(error);
  return { outcome: "refused", why: "config", reason: error.message };
}
