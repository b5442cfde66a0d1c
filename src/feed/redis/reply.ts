import type { LogUnusable } from "../errors.ts";
import { damaged, strangeAnswer } from "./errors.ts";

/** What is read, as it is named to people: where Redis is, and the key or the script's answer. */
export interface ReplySource {
  readonly where: string;
  readonly what: string;
  /** What the server says of itself, not of what the log keeps there. */
  readonly isOfServer?: boolean;
}

/**
 * A list that Redis answered, read part by part as a row of SQLite is.
 * @throws LogUnusable, from every reader: names the source, the part, and what it holds instead.
 */
export class Reply {
  readonly #parts: readonly unknown[];
  readonly #source: ReplySource;

  constructor(reply: unknown, source: ReplySource) {
    this.#source = source;
    if (!Array.isArray(reply)) throw wrong(source, "the whole", "a list", reply);
    this.#parts = reply;
  }

  get length(): number {
    return this.#parts.length;
  }

  text(at: number, name: string): string {
    const part = this.#parts[at];
    if (typeof part !== "string") throw wrong(this.#source, name, "text", part);
    return part;
  }

  /** Null where there is none. */
  textOrNull(at: number, name: string): string | null {
    return this.#isAbsent(at) ? null : this.text(at, name);
  }

  integer(at: number, name: string): number {
    const part = this.#parts[at];
    const value = typeof part === "string" && part !== "" ? Number(part) : part;
    if (typeof value !== "number" || !Number.isSafeInteger(value))
      throw wrong(this.#source, name, "an integer", part);
    return value;
  }

  /** Null where there is none, or an empty text. */
  integerOrNull(at: number, name: string): number | null {
    return this.#isAbsent(at) || this.#parts[at] === "" ? null : this.integer(at, name);
  }

  list(at: number, name: string): Reply {
    return new Reply(this.#parts[at], { ...this.#source, what: `${name} in ${this.#source.what}` });
  }

  /** All parts from `from` on, as lists. */
  lists(name: string, from = 0): Reply[] {
    return this.#parts.slice(from).map((_, n) => this.list(from + n, `${name} ${n + 1}`));
  }

  /** All parts from `from` on, as texts. */
  texts(from = 0): string[] {
    return this.#parts
      .slice(from)
      .map((part, n) => (typeof part === "string" ? part : this.text(from + n, `part ${from + n + 1}`)));
  }

  /** All parts, as bytes; null for those there are not. */
  bytes(): (Buffer | null)[] {
    return this.#parts.map((part, n) => {
      if (part === null || Buffer.isBuffer(part)) return part;
      throw wrong(this.#source, `part ${n + 1}`, "bytes", part);
    });
  }

  /** Names and values in turn, as HGETALL lists a hash. */
  fields(from = 0): Map<string, string> {
    const texts = this.texts(from);
    const fields = new Map<string, string>();
    for (let n = 0; n + 1 < texts.length; n += 2) fields.set(texts[n] ?? "", texts[n + 1] ?? "");
    return fields;
  }

  /** The parts as they are, for readers of their own. */
  get parts(): readonly unknown[] {
    return this.#parts;
  }

  #isAbsent(at: number): boolean {
    return this.#parts[at] === null || this.#parts[at] === undefined;
  }
}

/** A text with a whole number, as a hash has it; `absent` where there is none. @throws LogUnusable */
export function integerOf(
  text: string | null | undefined,
  name: string,
  source: ReplySource,
  absent = 0,
): number {
  if (text === undefined || text === null) return absent;
  const value = text === "" ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value)) throw wrong(source, name, "an integer", text);
  return value;
}

/** JSON of our own, in which `isRight` finds what it needs. @throws LogUnusable */
export function jsonOf<T>(
  text: string,
  isRight: (value: unknown) => value is T,
  name: string,
  source: ReplySource,
): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong(source, name, "JSON", text);
  }
  if (!isRight(value)) throw wrong(source, name, "what this version writes", text);
  return value;
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

const SHOWN_CHARACTERS = 60;

export function wrong(
  { where, what, isOfServer = false }: ReplySource,
  name: string,
  wanted: string,
  found: unknown,
): LogUnusable {
  const text = JSON.stringify(found) ?? "nothing";
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  const says = `${name} of ${what} should be ${wanted} and is ${shown}`;
  return isOfServer ? strangeAnswer(where, says) : damaged(where, says);
}
