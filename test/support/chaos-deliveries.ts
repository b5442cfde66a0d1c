import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { createRandom } from "../../packages/nomad-simulator/src/random.ts";
import { ChaosWorkers } from "./chaos-workers.ts";
import { chaosFlags } from "./chaos-subject.ts";
import { verdictOf, type DeliveryVerdict } from "./delivery-verdict.ts";
import type { SeenEvent } from "./feed-check.ts";
import { until } from "./until.ts";
import { FailingWebhook } from "./webhook-sinks.ts";

export interface DeliveriesChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly workers: number;
  readonly changesPerSecond: number;
  readonly say: (line: string) => void;
}

export interface DeliveriesChaosReport {
  readonly events: number;
  readonly restarts: number;
  readonly failures: number;
  readonly verdicts: ReadonlyMap<string, DeliveryVerdict>;
}

/** Destinations of every kind of order and batch. */
const DESTINATIONS = new Map<string, Readonly<Record<string, string>>>([
  ["single", { format: "structured" }],
  ["batched", { format: "batched", batch: "{ events: 20 }" }],
  ["strict", { format: "batched", batch: "{ events: 50 }", ordering: "strict" }],
]);
const SETTLED_WITHIN_MS = 240_000;

/**
 * Workers that deliver a churning cluster's feed to webhooks, which fail in every way there is, while workers are killed
 * and frozen and Redis is killed, frozen, and cut off; in the end every event must have arrived, or be a dead letter.
 */
export async function runDeliveriesChaos(options: DeliveriesChaosOptions): Promise<DeliveriesChaosReport> {
  const { seed, seconds, workers: count, changesPerSecond, say } = options;
  const random = createRandom(seed * 104_729);
  await using parts = new AsyncDisposableStack();
  const isPoisoned = (id: string) => hashOf(`${seed}${id}`) % 41 === 0;
  const sinks = new Map<string, FailingWebhook>();
  for (const name of DESTINATIONS.keys())
    sinks.set(name, parts.use(await FailingWebhook.listen(random, isPoisoned)));
  const directory = await mkdtemp(join(tmpdir(), "ncf-deliveries-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "feed.yaml");
  await writeFile(file, configOf(sinks));
  const simulator = createSimulator({ seed, allocations: 100, journalLimit: 1_000_000 });
  parts.defer(() => simulator.close());
  const flags = [...chaosFlags("auto"), "--config", file];
  const subject = await ChaosWorkers.create({ count, flags, say });
  parts.defer(() => subject.close());

  await subject.start(await simulator.listen());
  simulator.start({ changesPerSecond });
  for (const endAt = Date.now() + seconds * 1000; Date.now() < endAt;) {
    if (random.chance(0.12)) say(await subject.harm(random));
    await delay(random.between(50, 400));
  }
  simulator.stop();
  for (const sink of sinks.values()) sink.isCalm = true;
  say("all calm: waiting for the rest to arrive");
  await subject.calm();
  const verdicts = await untilSettled(subject, sinks, isPoisoned, say);
  const failures = [...sinks.values()].flatMap((sink) => [...sink.failures.values()]);
  return {
    events: (await subject.events()).length,
    restarts: subject.restarts,
    failures: failures.reduce((sum, times) => sum + times, 0),
    verdicts,
  };
}

/** Until nothing is missing, or nobody would wait for it any longer. */
async function untilSettled(
  subject: ChaosWorkers,
  sinks: ReadonlyMap<string, FailingWebhook>,
  isPoisoned: (id: string) => boolean,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, DeliveryVerdict>> {
  let verdicts = new Map<string, DeliveryVerdict>();
  const look = async (): Promise<boolean> => {
    const events = await subject.events();
    verdicts = new Map();
    for (const [name, { taken }] of sinks) {
      const parked = await subject.deadLetters(`delivery/${name}`);
      verdicts.set(name, judge(events, { taken, parked, isPoisoned }));
    }
    return [...verdicts.values()].every(
      ({ lost, wronglyParked }) => lost.length + wronglyParked.length === 0,
    );
  };
  await until("every event has arrived", look, SETTLED_WITHIN_MS).catch((error: unknown) =>
    say(String(error)),
  );
  return verdicts;
}

function judge(
  events: readonly SeenEvent[],
  {
    taken,
    parked,
    isPoisoned,
  }: { taken: readonly string[]; parked: readonly string[]; isPoisoned: (id: string) => boolean },
): DeliveryVerdict {
  const names = new Map(events.map(({ id, subject, sequence }) => [id, `${subject}:${sequence}`]));
  const named = (ids: readonly string[]) => ids.map((id) => names.get(id) ?? `not in the log, ${id}:0`);
  const ids = [...names.keys()];
  return verdictOf({
    committed: named(ids),
    taken: named(taken),
    parked: named(parked),
    poisoned: named(ids.filter(isPoisoned)),
  });
}

function configOf(sinks: ReadonlyMap<string, FailingWebhook>): string {
  const lines = [...sinks].flatMap(([name, { url }]) => [
    `  ${name}:`,
    `    type: webhook`,
    `    url: ${url}`,
    `    allowPrivate: true`,
    `    from: beginning`,
    `    timeout: 1s`,
    `    retry: { first: 100ms, most: 2s }`,
    ...Object.entries(DESTINATIONS.get(name) ?? {}).map(([field, value]) => `    ${field}: ${value}`),
  ]);
  return `destinations:\n${lines.join("\n")}\n`;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
