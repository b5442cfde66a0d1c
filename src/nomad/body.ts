import { createGunzip } from "node:zlib";

/** The body is not what the server meant to send. */
export class BodyDamaged extends Error {}

/** The body is larger than this client takes. */
export class BodyTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the body is larger than ${maxBytes} bytes`);
  }
}

/** What a chunked body is given beyond its likely size, so that a little growth still finds room. */
const HEADROOM = 1.02;
const HEADROOM_BYTES = 64 * 1024;

/**
 * Gathers a body as it arrives, in place where its length is known, or likely, beforehand: a list may have 100 MB,
 * and joining that many bytes at the end would hold up everybody else.
 */
export class BodyCollector {
  readonly #maxBytes: number;
  readonly #announced: number | undefined;
  readonly #target: Buffer;
  /** What came beyond the target. */
  readonly #rest: Buffer[] = [];
  #length = 0;

  /** @throws BodyTooLarge, as does `add`. */
  constructor(contentLength: number | undefined, maxBytes: number, likelyBytes = 0) {
    if (contentLength !== undefined && contentLength > maxBytes) throw new BodyTooLarge(maxBytes);
    this.#maxBytes = maxBytes;
    this.#announced = contentLength;
    const roomy = likelyBytes === 0 ? 0 : Math.ceil(likelyBytes * HEADROOM) + HEADROOM_BYTES;
    this.#target = Buffer.allocUnsafeSlow(contentLength ?? Math.min(roomy, maxBytes));
  }

  add(chunk: Buffer): void {
    if (this.#length + chunk.length > this.#maxBytes) throw new BodyTooLarge(this.#maxBytes);
    const fits = this.#rest.length === 0 && this.#length + chunk.length <= this.#target.length;
    if (fits) chunk.copy(this.#target, this.#length);
    else this.#rest.push(chunk);
    this.#length += chunk.length;
  }

  /** @throws BodyDamaged where fewer bytes came than were announced. */
  whole(): Buffer {
    if (this.#announced !== undefined && this.#length !== this.#announced) {
      throw new BodyDamaged(`the body has ${this.#length} of ${this.#announced} bytes`);
    }
    if (this.#rest.length === 0) return this.#target.subarray(0, this.#length);
    const rest = this.#rest.reduce((bytes, chunk) => bytes + chunk.length, 0);
    return Buffer.concat([this.#target.subarray(0, this.#length - rest), ...this.#rest], this.#length);
  }
}

/** Undoes the content encoding. Rejects with BodyDamaged or BodyTooLarge. */
export async function decodeBody(
  raw: Buffer,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Buffer> {
  if (encoding === undefined || encoding === "identity" || raw.length === 0) return raw;
  if (encoding !== "gzip")
    throw new BodyDamaged(`the body has the encoding "${encoding}", which was not asked for`);
  return gunzip(raw, maxBytes);
}

const GZIP_MIN_BYTES = 18;
/** Deflate never makes more than this of one byte. */
const DEFLATE_MAX_RATIO = 1032;

/** Decompresses into one buffer of the size the gzip trailer states, in pieces that let others run between. */
async function gunzip(raw: Buffer, maxBytes: number): Promise<Buffer> {
  const size = raw.length < GZIP_MIN_BYTES ? -1 : raw.readUInt32LE(raw.length - 4);
  if (size < 0 || size > raw.length * DEFLATE_MAX_RATIO) throw new BodyDamaged("the gzip body is cut off");
  if (size > maxBytes) throw new BodyTooLarge(maxBytes);
  const target = Buffer.allocUnsafeSlow(size);
  let length = 0;
  const stream = createGunzip({ chunkSize: 256 * 1024 });
  stream.end(raw);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.copy(target, length);
    }
  } catch (cause) {
    throw new BodyDamaged("the gzip body is damaged or cut off", { cause });
  }
  if (length !== size || stream.bytesWritten !== raw.length)
    throw new BodyDamaged("the gzip body is cut off");
  return target;
}

const EMPTY_LIST = Buffer.from("[]");
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * The list in a body, byte for byte; `null` and nothing at all, which some lists answer, are an empty one.
 * @throws BodyDamaged where the body does not begin and end as a list does.
 */
export function listBody(body: Buffer): Buffer {
  let from = 0;
  let to = body.length;
  while (from < to && SPACE.has(body[from] as number)) from += 1;
  while (to > from && SPACE.has(body[to - 1] as number)) to -= 1;
  if (from === to || (to - from === 4 && body.toString("latin1", from, to) === "null")) return EMPTY_LIST;
  if (to - from >= 2 && body[from] === 0x5b && body[to - 1] === 0x5d) return body;
  throw new BodyDamaged("the body is no whole JSON list");
}
