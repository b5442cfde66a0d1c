import type { Config } from "../config/config.ts";
import { LogUnusable } from "../feed/errors.ts";
import type { NomadClient } from "../nomad/client.ts";
import { isRefusal } from "../nomad/errors.ts";
import { locationText } from "./log.ts";
import { untilItAnswers, type Waiting } from "./until-it-answers.ts";

/** `nomad://<cluster>/<region>`: the CloudEvents source, and what a log belongs to. */
export function sourceOf(cluster: string, region: string): string {
  return `nomad://${encodeURIComponent(cluster)}/${encodeURIComponent(region)}`;
}

/** The region in a source. */
export function regionIn(source: string): string {
  return decodeURIComponent(source.slice(source.lastIndexOf("/") + 1));
}

/**
 * Waits until Nomad answers at all; says once what keeps it, and again every minute. A refusal is an answer too: a
 * gateway may let nothing but lists through, and those say for themselves what is wrong.
 */
async function nomadAnswers(nomad: NomadClient, waiting: Waiting): Promise<void> {
  await untilAnswered(() => unlessRefused(nomad.leader(waiting.signal)), waiting);
}

export interface Region {
  readonly name: string;
  /** False where Nomad did not say and there are several. */
  readonly sure: boolean;
}

/**
 * The region of the agent that answers; waits for Nomad. Where we may not ask it (no agent:read, or a gateway between),
 * it is the only region there is, or else Nomad's default name.
 */
export async function regionOf(nomad: NomadClient, waiting: Waiting): Promise<Region> {
  return untilAnswered(async () => {
    const self = await unlessRefused(nomad.agentSelf(waiting.signal));
    if (self?.region !== undefined) return { name: self.region, sure: true };
    const [only, ...others] = (await unlessRefused(nomad.regions(waiting.signal))) ?? [];
    if (only !== undefined && others.length === 0) return { name: only, sure: true };
    waiting.logger.warn(
      { regions: only === undefined ? [] : [only, ...others] },
      'not allowed to read the agent\'s region; assuming "global". Set --nomad-region to be sure',
    );
    return { name: "global", sure: false };
  }, waiting);
}

/** Undefined where it is refused. */
async function unlessRefused<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (isRefusal(error)) return undefined;
    throw error;
  });
}

function untilAnswered<T>(ask: () => Promise<T>, waiting: Waiting): Promise<T> {
  return untilItAnswers(ask, {
    ...waiting,
    isPassing: () => true,
    say: (message) =>
      `Nomad cannot be watched yet, still trying: ${message}. No cluster at hand? nomad-changefeed demo brings its own`,
  });
}

/**
 * Resolves once Nomad answers and is sure to be the region that the log is of.
 * @throws LogUnusable where it is another one; the signal's reason.
 */
export async function rightNomadAnswers(
  config: Config,
  { nomad, source, ...waiting }: Waiting & { nomad: NomadClient; source: string },
): Promise<void> {
  await nomadAnswers(nomad, waiting);
  if (config.nomad.region === undefined) {
    const region = await regionOf(nomad, waiting);
    if (region.sure && region.name !== regionIn(source)) throw wrongRegion(config, source, region.name);
  }
  waiting.logger.info({ source }, "connected to Nomad; watching it");
}

function wrongRegion(config: Config, source: string, region: string): LogUnusable {
  const where = locationText(config.feed);
  return new LogUnusable(`The log ${where} belongs to ${source}, but Nomad answers for region ${region}`, {
    hint: "Point --nomad-addr at the log's region, or give this region a log of its own with --feed",
  });
}
