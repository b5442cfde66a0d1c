import type { NomadClient } from "../../nomad/client.ts";
import { Backoff } from "../../pollers/backoff.ts";
import { systemClock } from "../../pollers/clock.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import type { Logger } from "../../telemetry/logger.ts";

interface Waiting {
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const REMIND_EVERY_MS = 60_000;

/** `nomad://<cluster>/<region>`: the CloudEvents source, and what a log belongs to. */
export function sourceOf(cluster: string, region: string): string {
  return `nomad://${encodeURIComponent(cluster)}/${encodeURIComponent(region)}`;
}

/** The region in a source. */
export function regionIn(source: string): string {
  return decodeURIComponent(source.slice(source.lastIndexOf("/") + 1));
}

/** Waits until Nomad answers at all; says once what keeps it, and again every minute. */
export async function nomadAnswers(nomad: NomadClient, waiting: Waiting): Promise<void> {
  await untilAnswered(() => nomad.leader(waiting.signal), waiting);
}

export interface Region {
  readonly name: string;
  /** False where Nomad did not say and there are several. */
  readonly sure: boolean;
}

/**
 * The region of the agent that answers; waits for Nomad. An agent that does not tell us (no agent:read) leaves
 * the only region there is, or else Nomad's default name.
 */
export async function regionOf(nomad: NomadClient, waiting: Waiting): Promise<Region> {
  return untilAnswered(async () => {
    const self = await nomad.agentSelf(waiting.signal);
    if (self?.region !== undefined) return { name: self.region, sure: true };
    const [only, ...others] = await nomad.regions(waiting.signal);
    if (only !== undefined && others.length === 0) return { name: only, sure: true };
    waiting.logger.warn(
      { regions: [only, ...others] },
      'the token may not read the agent\'s region: taking it for "global"; set --nomad-region to be sure',
    );
    return { name: "global", sure: false };
  }, waiting);
}

async function untilAnswered<T>(ask: () => Promise<T>, { logger, signal }: Waiting): Promise<T> {
  const backoff = new Backoff({ baseMs: 500, maxMs: 5_000, random: Math.random });
  let saidAtMs = 0;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ChangefeedError)) throw error;
      if (Date.now() - saidAtMs >= REMIND_EVERY_MS) {
        saidAtMs = Date.now();
        logger.warn(
          { code: error.code, hint: error.hint },
          `Nomad cannot be watched yet, still trying: ${error.message}. No cluster at hand? nomad-changefeed demo brings its own`,
        );
      }
      await systemClock.sleep(backoff.next(), signal);
    }
  }
}
