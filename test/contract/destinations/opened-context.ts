import { createLogger, type Logger } from "../../../src/telemetry/logger.ts";

/** A destination and the batch or message that it sends. */
interface Sending<What, Result> extends AsyncDisposable {
  send(what: What, signal: AbortSignal): Promise<Result>;
}

/** One test's counterpart, and what was opened to it; all of it ends with the test. */
export class OpenedContext<
  Counterpart extends AsyncDisposable,
  What,
  Result,
  Destination extends Sending<What, Result>,
> {
  counterpart!: Counterpart;
  /** Log lines so far. */
  logged: string[] = [];
  readonly #start: () => Promise<Counterpart>;
  readonly #open: (counterpart: Counterpart, logger: Logger) => Promise<Destination>;
  readonly #opened: Destination[] = [];

  constructor(
    start: () => Promise<Counterpart>,
    open: (counterpart: Counterpart, logger: Logger) => Promise<Destination>,
  ) {
    this.#start = start;
    this.#open = open;
  }

  async begin(): Promise<void> {
    this.logged = [];
    this.counterpart = await this.#start();
  }

  async end(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((destination) => destination[Symbol.asyncDispose]()));
    await this.counterpart[Symbol.asyncDispose]();
  }

  async open(): Promise<Destination> {
    const write = (line: string) => void this.logged.push(line);
    const logger = createLogger({ level: "trace", format: "json", destination: { write } });
    const destination = await this.#open(this.counterpart, logger);
    this.#opened.push(destination);
    return destination;
  }

  /** Only what hangs meets the deadline. */
  send(destination: Destination, what: What): Promise<Result> {
    return destination.send(what, AbortSignal.timeout(60_000));
  }
}
