import { LONGEST_TIMER_MS } from "./longest-timer.ts";
import type { OpenSocket, Refusal, Socket, SocketRequest } from "./socket.ts";

export type Ending =
  | {
      readonly kind: "closed";
      readonly code: number;
      /** Whether it had been a WebSocket before. */
      readonly opened: boolean;
      readonly problem: string | undefined;
      /** TLS failed in a way that stays so. */
      readonly isUntrusted: boolean;
    }
  | ({ readonly kind: "refused" } & Refusal)
  /** What was said there is no feed's. */
  | { readonly kind: "not-a-feed" }
  /** A process with several feeds told all of them, of which this client knows no cursor. */
  | { readonly kind: "several-feeds" }
  /** More came than may wait, and the socket cannot be told to wait. */
  | { readonly kind: "overrun" }
  | { readonly kind: "aborted" };

export interface ConnectionOptions {
  /** A connection that says nothing for so long is given up. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** What may wait for the reader: texts, and their length together. */
  readonly maxQueued?: { readonly texts: number; readonly characters: number };
}

const MAX_QUEUED = { texts: 1024, characters: 1024 * 1024 };

/**
 * One WebSocket from its opening to its end, read at the reader's own pace: what came waits in a short queue, and
 * while that is full the socket is not read. How it ended is told after all that came before.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #maxQueued: { readonly texts: number; readonly characters: number };
  readonly #socket: Socket;
  readonly #queue: string[] = [];
  #characters = 0;
  #isPaused = false;
  #isOpened = false;
  #ending: Ending | undefined;
  #closed: Promise<void> | undefined;
  #heardAtMs = performance.now();
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #wake: () => void = () => undefined;
  readonly #onAbort = () => this.#end({ kind: "aborted" });

  constructor(open: OpenSocket, request: SocketRequest, options: ConnectionOptions) {
    this.#options = options;
    this.#maxQueued = options.maxQueued ?? MAX_QUEUED;
    this.#socket = open(request, {
      onOpened: () => (this.#isOpened = true),
      onText: (text) => this.#onText(text),
      onAlive: () => this.#heard(),
      onRefused: (refusal) => this.#end({ kind: "refused", ...refusal }),
      onClosed: (code, problem, isUntrusted = false) =>
        this.#end({ kind: "closed", code, opened: this.#isOpened, problem, isUntrusted }),
    });
    options.signal.addEventListener("abort", this.#onAbort);
    this.#watch(options.silenceMs);
  }

  /** The next text, or how it ended. */
  async next(): Promise<string | Ending> {
    for (;;) {
      if (this.#options.signal.aborted) return { kind: "aborted" };
      const text = this.#queue.shift();
      if (text !== undefined) {
        this.#characters -= text.length;
        this.#resumeWhenHalfEmpty();
        return text;
      }
      if (this.#ending !== undefined) return this.#ending;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Resolves once nothing of it is left. */
  async close(): Promise<void> {
    this.#end({ kind: "aborted" });
    await this.#closeSocket();
  }

  #closeSocket(): Promise<void> {
    return (this.#closed ??= this.#socket.close());
  }

  #onText(text: string): void {
    if (this.#ending !== undefined) return;
    this.#heard();
    this.#queue.push(text);
    this.#characters += text.length;
    if (this.#holdsMoreThan(1)) this.#hold();
    this.#wake();
  }

  #hold(): void {
    if (this.#socket.flow === undefined) {
      this.#end({ kind: "overrun" });
    } else if (!this.#isPaused) {
      this.#isPaused = true;
      this.#socket.flow.pause();
    }
  }

  #resumeWhenHalfEmpty(): void {
    if (!this.#isPaused || this.#holdsMoreThan(1 / 2)) return;
    this.#isPaused = false;
    this.#heard();
    this.#socket.flow?.resume();
  }

  #holdsMoreThan(share: number): boolean {
    const { texts, characters } = this.#maxQueued;
    return this.#queue.length > texts * share || this.#characters > characters * share;
  }

  /** The first ending counts. */
  #end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    clearTimeout(this.#watchdog);
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    // Also while the reader is busy elsewhere.
    if (ending.kind === "aborted" || ending.kind === "overrun") void this.#closeSocket();
    this.#wake();
  }

  #heard(): void {
    this.#heardAtMs = performance.now();
  }

  #watch(waitMs: number): void {
    this.#watchdog = setTimeout(
      () => {
        // What is not read cannot be heard.
        const { silenceMs } = this.#options;
        const leftMs = this.#isPaused ? silenceMs : this.#heardAtMs + silenceMs - performance.now();
        if (leftMs > 0) this.#watch(leftMs);
        else this.#giveUp();
      },
      Math.min(waitMs, LONGEST_TIMER_MS),
    );
  }

  #giveUp(): void {
    const problem = `nothing was heard for ${this.#options.silenceMs / 1000} s`;
    this.#end({ kind: "closed", code: 1006, opened: this.#isOpened, problem, isUntrusted: false });
  }
}
