import type { IncomingMessage } from "node:http";
import { LogUnavailable } from "../../feed/errors.ts";
import { publicError } from "../../publishers/connection/frames.ts";
import { outcomeOf, speaksForItself } from "../../publishers/connection/outcomes.ts";
import { errorFacts } from "../../schemas/error-codes.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { loggableUrl } from "./credentials.ts";
import type { Principals } from "./principals.ts";

/** The same refusal of one address is a line once in so long, with how many there were between. */
const REPEAT_EVERY_MS = 10_000;
const MAX_REMEMBERED = 10_000;
interface Opened {
  readonly connectionId: string;
  readonly format: string;
  readonly consumer: string | undefined;
}

/** Who came, from where, and who was refused and why. Tokens are named as their owners know them, and never shown. */
export class AccessLog {
  readonly #logger: Logger;
  readonly #metrics: Pick<Metrics, "refusals">;
  readonly #principals: Pick<Principals, "nameOf">;
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #said = new Map<string, { atMs: number; since: number }>();

  constructor(deps: {
    readonly logger: Logger;
    readonly metrics: Pick<Metrics, "refusals">;
    readonly principals: Pick<Principals, "nameOf">;
    readonly clock: Pick<Clock, "elapsed">;
  }) {
    this.#logger = deps.logger;
    this.#metrics = deps.metrics;
    this.#principals = deps.principals;
    this.#clock = deps.clock;
  }

  /** A stream begins. Its end has a line of its own with the same `connectionId`. */
  async opened(request: IncomingMessage, { connectionId, format, consumer }: Opened): Promise<void> {
    const who = await this.#who(request);
    this.#logger.info(
      { connectionId, format, ...who, ...(consumer !== undefined && { consumer }) },
      "stream opened",
    );
  }

  /** A request or an upgrade ends with an error. */
  async refused(request: IncomingMessage, error: unknown): Promise<void> {
    const { code, message } = publicError(error);
    this.#metrics.refusals.inc({ code });
    const who = await this.#who(request);
    if (outcomeOf(error).status === 500) {
      this.#logger.error({ err: error, ...who }, "request failed");
      return;
    }
    const more = this.#skipped(`${code} ${who.address}`);
    if (more === undefined) return;
    const line = { code, reason: message, ...who, ...(more > 0 && { more }) };
    if (errorFacts(code)?.isMistake === true) this.#logger.debug(line, "request refused");
    else if (error instanceof ChangefeedError && !speaksForItself(error)) {
      // The subscriber got other words for it. What is wrong with the log, the feed's own work says too.
      const level = error instanceof LogUnavailable ? "info" : "warn";
      this.#logger[level]({ ...line, reason: error.message, hint: error.hint }, "request refused");
    } else this.#logger.info(line, "request refused");
  }

  async #who(request: IncomingMessage): Promise<{ subscriber?: string; address: string; url: string }> {
    const subscriber = await this.#principals.nameOf(request);
    const address = request.socket.remoteAddress ?? "";
    return { ...(subscriber !== undefined && { subscriber }), address, url: loggableUrl(request.url) };
  }

  /** How many like it were passed over since the last line; undefined: this one is, too. */
  #skipped(key: string): number | undefined {
    const now = this.#clock.elapsed();
    const last = this.#said.get(key);
    if (last !== undefined && now - last.atMs < REPEAT_EVERY_MS) {
      last.since += 1;
      return undefined;
    }
    if (this.#said.size >= MAX_REMEMBERED) this.#said.clear();
    this.#said.set(key, { atMs: now, since: 0 });
    return last?.since ?? 0;
  }
}
