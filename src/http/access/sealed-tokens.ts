import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { DocumentStore } from "../../feed/log.ts";
import { changeDocument } from "../../publishers/delivery/change-document.ts";
import type { Clock } from "../../shared/clock.ts";

const KEY_DOCUMENT = "session-key";
const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** How often what does not open has the key read again: it may be another since the log was restored. */
const READ_AGAIN_MS = 10_000;

interface Reading {
  readonly beganAtMs: number;
  /** Undefined where there is none yet. */
  readonly key: Promise<Buffer | undefined>;
}

interface SealedTokensDeps {
  readonly documents: Pick<DocumentStore, "get" | "claim" | "change">;
  /** nomad://<cluster>/<region> */
  readonly source: string;
  readonly clock: Pick<Clock, "now" | "elapsed">;
}

/**
 * Tokens for a time, sealed with a key that stands beside the log: every worker opens them, also after a restart, and
 * nobody else does.
 */
export class SealedTokens {
  readonly #deps: SealedTokensDeps;
  #key: Buffer | undefined;
  #reading: Reading | undefined;

  constructor(deps: SealedTokensDeps) {
    this.#deps = deps;
  }

  /** As base64url. @throws LogUnavailable */
  async seal(token: string, lifetimeMs: number): Promise<string> {
    this.#key ??= await this.#makeKey();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce).setAAD(Buffer.from(this.#deps.source));
    const text = JSON.stringify({ token, endsAtMs: this.#deps.clock.now() + lifetimeMs });
    const sealed = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString("base64url");
  }

  /** Undefined where it was not sealed here, or its time is over. @throws LogUnavailable */
  async open(sealed: string): Promise<string | undefined> {
    const bytes = Buffer.from(sealed, "base64url");
    const known = this.#key;
    let text = this.#opened(bytes, known);
    if (text === undefined) {
      const key = await this.#readKey();
      if (key !== known) text = this.#opened(bytes, key);
    }
    if (text === undefined) return undefined;
    const { token, endsAtMs } = JSON.parse(text) as { token: string; endsAtMs: number };
    return endsAtMs > this.#deps.clock.now() ? token : undefined;
  }

  #opened(bytes: Buffer, key: Buffer | undefined): string | undefined {
    if (key === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(this.#deps.source))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return (
        decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8")
      );
    } catch {
      return undefined;
    }
  }

  /** As it was read a moment ago, once for all who need it. What failed is not kept. @throws LogUnavailable */
  #readKey(): Promise<Buffer | undefined> {
    const now = this.#deps.clock.elapsed();
    if (this.#reading !== undefined && now - this.#reading.beganAtMs < READ_AGAIN_MS)
      return this.#reading.key;
    const reading: Reading = { beganAtMs: now, key: this.#readStored() };
    this.#reading = reading;
    reading.key.catch(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    return reading.key;
  }

  async #readStored(): Promise<Buffer | undefined> {
    const text = (await this.#deps.documents.get(KEY_DOCUMENT))?.text;
    const key = text ? keyOf(text) : undefined;
    if (key !== undefined && this.#key?.equals(key) !== true) this.#key = key;
    return this.#key;
  }

  async #makeKey(): Promise<Buffer> {
    const { documents } = this.#deps;
    let text = (await documents.get(KEY_DOCUMENT))?.text ?? "";
    if (text === "") {
      await changeDocument(KEY_DOCUMENT, "sessions", documents, (kept) => {
        text = kept ?? randomBytes(KEY_BYTES).toString("base64url");
        return text;
      });
    }
    return keyOf(text);
  }
}

function keyOf(text: string): Buffer {
  return Buffer.from(text, "base64url");
}
