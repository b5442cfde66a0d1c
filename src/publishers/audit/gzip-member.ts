import { promisify } from "node:util";
import { constants, crc32, createGzip, inflateRaw, type Gzip, type ZlibReset } from "node:zlib";

const inflate = promisify(inflateRaw);

/** RFC 1952: deflated, with an extra field, no time, no system. As long as what zlib writes. */
const BEGIN = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255]);
/** Our subfield "NC": length of the member, count of entries, index of the first one. */
const SUBFIELD = Buffer.from("NC");
const FIELD_BYTES = 16;
const AT = { extraBytes: 10, subfield: 12, fieldBytes: 14, memberBytes: 16, count: 20, from: 24 };
const CHECK_BYTES = 8;
/** Half the time of the usual level, and a sixth more bytes. */
const FAST = 1;

export const HEADER_BYTES = 32;

/** Which entries a member of a gzip file holds, and how long it is, so that readers may go from one to the next. */
export interface Member {
  /** Index of the first entry. */
  readonly from: number;
  /** Index after the last one. */
  readonly to: number;
  readonly bytes: number;
}

/** As much as one holds: zlib hands over what it made in one piece, and not in sixteen. */
const OUTPUT_BYTES = 262_144;

/** Makes members, one after another, in memory of zlib's that is used again. Not for concurrent calls. */
export class MemberWriter implements Disposable {
  /** The types know of the reset only where no header is written. */
  readonly #gzip = createGzip({ level: FAST, chunkSize: OUTPUT_BYTES }) as Gzip & ZlibReset;
  #pieces: Buffer[] = [];

  constructor() {
    this.#gzip.on("data", (piece: Buffer) => this.#pieces.push(piece));
  }

  /** Lines of so many entries, for whoever reads gzip; ours finds in the header which they are. */
  async write(from: number, count: number, lines: Uint8Array): Promise<Buffer> {
    // What follows the short header that zlib writes: the lines deflated, their check and their length.
    const body = (await this.#packed(lines)).subarray(BEGIN.length);
    const bytes = HEADER_BYTES + body.length;
    return Buffer.concat([headerOf({ from, to: from + count, bytes }), body]);
  }

  async #packed(lines: Uint8Array): Promise<Buffer> {
    const flushed = new Promise<void>((resolve, reject) => {
      this.#gzip.once("error", reject);
      this.#gzip.write(lines);
      this.#gzip.flush(constants.Z_FINISH, () => {
        this.#gzip.off("error", reject);
        resolve();
      });
    });
    await flushed;
    this.#gzip.reset();
    return Buffer.concat(this.#pieces.splice(0));
  }

  [Symbol.dispose](): void {
    this.#gzip.close();
  }
}

function headerOf({ from, to, bytes }: Member): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  BEGIN.copy(header);
  header.writeUInt16LE(HEADER_BYTES - AT.subfield, AT.extraBytes);
  SUBFIELD.copy(header, AT.subfield);
  header.writeUInt16LE(FIELD_BYTES, AT.fieldBytes);
  header.writeUInt32LE(bytes, AT.memberBytes);
  header.writeUInt32LE(to - from, AT.count);
  header.writeBigUInt64LE(BigInt(from), AT.from);
  return header;
}

/** Undefined where no member of ours begins so. */
export function readHeader(header: Buffer): Member | undefined {
  if (header.length < HEADER_BYTES) return undefined;
  const from = Number(header.readBigUInt64LE(AT.from));
  const member = {
    from,
    to: from + header.readUInt32LE(AT.count),
    bytes: header.readUInt32LE(AT.memberBytes),
  };
  const isOurs = headerOf(member).equals(header.subarray(0, HEADER_BYTES));
  return isOurs && member.bytes > HEADER_BYTES + CHECK_BYTES ? member : undefined;
}

/** Whether what the member holds is as it was written. */
export async function isWhole(member: Buffer): Promise<boolean> {
  const lines = await inflate(member.subarray(HEADER_BYTES, -CHECK_BYTES)).catch(() => undefined);
  return lines !== undefined && crc32(lines) === member.readUInt32LE(member.length - CHECK_BYTES);
}
