import { inspect } from "node:util";

const REDACTED = "[redacted]";

/** A text that logs, JSON and inspection show as "[redacted]"; only `reveal` gives it away. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Whether a text can be a Nomad token at all: visible ASCII, as HTTP headers carry it. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
