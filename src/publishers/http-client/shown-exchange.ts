import type { Exchange } from "../delivery/destination.ts";
import type { HiddenTexts } from "../hidden.ts";
import type { Answer } from "./answer.ts";

const SHOWN_LENGTH = 1024;
const BEGINNING_BYTES = 2 * SHOWN_LENGTH;

interface Sent {
  /** `POST https://hooks.example` */
  readonly target: string;
  /** Those that may be shown. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Null where none came. */
  readonly answer: Answer | null;
}

/** What went over the wire, put into words only where somebody asks: of most requests nobody does. */
export class ShownExchange implements Exchange {
  readonly #hidden: HiddenTexts;
  readonly #sent: Sent;
  readonly #bodyBytes: number;

  constructor(hidden: HiddenTexts, sent: Sent) {
    this.#hidden = hidden;
    this.#bodyBytes = sent.body.length;
    // Kept for long: a large body is not.
    const isLarge = sent.body.length > BEGINNING_BYTES;
    this.#sent = isLarge ? { ...sent, body: Buffer.from(sent.body.subarray(0, BEGINNING_BYTES)) } : sent;
  }

  get request(): string {
    const { target, headers, body } = this.#sent;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const begins = body.toString("utf8");
    const text = [target, ...lines, "", begins].join("\n");
    return this.#hidden.show(text, SHOWN_LENGTH, this.#bodyBytes > begins.length);
  }

  get answer(): string | null {
    const { answer } = this.#sent;
    return answer === null ? null : this.#hidden.show(answer.text, SHOWN_LENGTH, answer.isCut);
  }

  get status(): number | undefined {
    return this.#sent.answer?.status;
  }
}
