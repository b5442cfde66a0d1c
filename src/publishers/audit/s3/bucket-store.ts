import { randomBytes } from "node:crypto";
import type { FileBytes } from "../disk.ts";
import { TrailDamaged, TrailInUse } from "../errors.ts";
import { CHECKPOINT, type TrailStore, type TrailWriting } from "../store.ts";
import type { Bucket, StoredObject } from "./bucket.ts";
import { BucketUnconditional } from "./errors.ts";

/** No object has it. */
const NO_TAG = '"00000000000000000000000000000000"';
const TRIES = 3;

/**
 * A trail in a bucket. Nothing locks it: whoever opens it last has it. He puts a line of his own under the checkpoint
 * before he writes anything, and a checkpoint only ever takes the place of the one that its writer read or wrote: who
 * had the trail before can sign nothing any more.
 */
export class BucketStore implements TrailStore {
  readonly name: string;
  readonly #bucket: Bucket;
  #checkpoint: StoredObject | undefined;

  constructor(bucket: Bucket) {
    this.name = bucket.name;
    this.#bucket = bucket;
  }

  async read(path: string): Promise<Buffer | undefined> {
    return (await this.#bucket.get(path))?.bytes;
  }

  has(path: string): Promise<boolean> {
    return this.#bucket.has(path);
  }

  async hasTiles(): Promise<boolean> {
    for await (const _ of this.#bucket.list("tile/")) return true;
    return false;
  }

  async readCheckpoint(): Promise<Buffer | undefined> {
    this.#checkpoint = await this.#bucket.get(CHECKPOINT);
    return this.#checkpoint?.bytes;
  }

  async claim(): Promise<void> {
    if (this.#checkpoint === undefined) return;
    const { bytes } = this.#checkpoint;
    for (const condition of [{ "if-none-match": "*" }, { "if-match": NO_TAG }] as const)
      if ((await this.#bucket.put(CHECKPOINT, bytes, condition)) !== undefined)
        throw new BucketUnconditional(this.name, Object.keys(condition).join());
    await this.#replaceCheckpoint(withLineOfOurs(bytes));
  }

  /** Objects are whole or not there; one in our way is replaced when we come to it. */
  async removeUnsigned(): Promise<void> {}

  begin(): TrailWriting {
    const written: Promise<unknown>[] = [];
    const failures: unknown[] = [];
    const settle = async () => void (await Promise.all(written));
    return {
      add: (file) => void written.push(this.replace(file).catch((error: unknown) => failures.push(error))),
      end: async (checkpoint) => {
        await settle();
        if (failures.length > 0) throw failures[0];
        await this.#replaceCheckpoint(checkpoint);
      },
      [Symbol.asyncDispose]: settle,
    };
  }

  /** Only for what no checkpoint covers yet, or covers as it is. */
  async replace({ path, bytes }: FileBytes): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      if ((await this.#bucket.put(path, bytes, { "if-none-match": "*" })) !== undefined) return;
      const there = await this.#bucket.get(path);
      if (there?.bytes.equals(bytes) === true) return;
      await this.#assertOurs();
      // Of a killed writer, who had other events: nobody signed it.
      if (
        there !== undefined &&
        (await this.#bucket.put(path, bytes, { "if-match": there.tag })) !== undefined
      )
        return;
    }
    throw new TrailInUse(this.name);
  }

  async #replaceCheckpoint(bytes: Buffer): Promise<void> {
    const before = this.#checkpoint;
    const condition = before === undefined ? ({ "if-none-match": "*" } as const) : { "if-match": before.tag };
    const tag = await this.#bucket.put(CHECKPOINT, bytes, condition);
    if (tag === undefined) await this.#assertWritten(bytes);
    else this.#checkpoint = { bytes, tag };
  }

  /** An answer that was lost was asked for again, and then the condition holds no more. */
  async #assertWritten(bytes: Buffer): Promise<void> {
    const there = await this.#bucket.get(CHECKPOINT);
    if (there?.bytes.equals(bytes) !== true) throw await this.#whyNot();
    this.#checkpoint = there;
  }

  async removeFolder(path: string): Promise<void> {
    for await (const each of this.#bucket.list(`${path}/`)) await this.#bucket.delete(each);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#bucket[Symbol.asyncDispose]();
  }

  async #assertOurs(): Promise<void> {
    const there = await this.#bucket.get(CHECKPOINT);
    if (there?.tag !== this.#checkpoint?.tag) throw await this.#whyNot();
  }

  async #whyNot(): Promise<TrailDamaged | TrailInUse> {
    if (await this.#bucket.has(CHECKPOINT)) return new TrailInUse(this.name);
    return new TrailDamaged(this.name, "its checkpoint is gone");
  }
}

/**
 * The same checkpoint, and no longer the same bytes. The line has the form of a signature by a key that nobody has:
 * who reads signed notes passes over those.
 */
function withLineOfOurs(checkpoint: Buffer): Buffer {
  const text = checkpoint.toString().replaceAll(/^— writer \S+\n/gm, "");
  return Buffer.from(`${text}— writer ${randomBytes(16).toString("base64")}\n`);
}
