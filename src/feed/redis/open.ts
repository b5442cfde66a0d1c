import { silentLogger, type Logger } from "../../telemetry/logger.ts";
import { randomEpoch } from "../epoch.ts";
import { LogUnusable } from "../errors.ts";
import { MAX_DEAD_LETTERS, type FeedLog } from "../log.ts";
import { checkServer } from "./checks.ts";
import { sequenceOf } from "./codec.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Durability } from "./durability.ts";
import { locationOf, type Location } from "./location.ts";
import { RedisLog, type WriterParts } from "./log.ts";
import { OPEN } from "./scripts.ts";
import { TailLossDetector, type DraftEpochEvent } from "./tail-loss-detector.ts";

interface CommonOptions {
  /** As in location.ts. */
  readonly url: string;
  readonly logger: Logger;
  /** Ms since 1970. Default: Redis's clock for what is recorded, so that no worker's own counts, and ours for the rest. */
  readonly clock?: () => number;
  /** How many dead letters a consumer may have. Default: MAX_DEAD_LETTERS. */
  readonly maxDeadLetters?: number;
  readonly metrics?: ConnectionOptions["metrics"];
  /** How long a silent server is waited for. */
  readonly silenceMs?: number;
}

interface ReadOptions extends CommonOptions {
  readonly readOnly: true;
}

interface WriteOptions extends CommonOptions {
  readonly readOnly?: false;
  /** `nomad://cluster/region`: the only feed these keys will ever hold. */
  readonly source: string;
  readonly draftEpochEvent: DraftEpochEvent;
  readonly durability?: Durability;
  /** Whether each resource also gets a stream of its own. */
  readonly streamPerResource?: boolean;
}

export type RedisLogOptions = ReadOptions | WriteOptions;

const SCHEMA_VERSION = 2;

/**
 * Opens the log at `url`, and begins it where there is none. Keys that are not a whole log of this source are
 * refused and left as they are.
 * @throws LogUnusable, LogUnavailable, LogFull.
 */
export async function openRedisLog(options: RedisLogOptions): Promise<FeedLog> {
  const { url, logger, metrics, clock = Date.now, silenceMs, maxDeadLetters = MAX_DEAD_LETTERS } = options;
  const recordedAt = options.clock ?? (() => "" as const);
  const location = locationOf(url);
  const connect = async (teller: Logger) => {
    const connection = new Connection(location, { logger: teller, metrics, silenceMs });
    await connection.open();
    return connection;
  };
  const connection = await connect(logger);
  // What is wrong with Redis is said once.
  const connectAgain = () => connect(silentLogger());
  try {
    const writer = options.readOnly === true ? undefined : await beginWriting(connection, location, options);
    if (writer === undefined) await verify(connection, location, undefined);
    return new RedisLog({
      connection,
      connect: connectAgain,
      prefix: location.prefix,
      writer,
      clock,
      recordedAt,
      maxDeadLetters,
    });
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function beginWriting(
  connection: Connection,
  location: Location,
  options: WriteOptions,
): Promise<WriterParts> {
  const { source, logger, draftEpochEvent, durability = "async", clock = Date.now } = options;
  const recordedAt = options.clock ?? (() => "" as const);
  const { streamPerResource = false } = options;
  const { warnings } = await checkServer(connection, durability);
  for (const { message, hint } of warnings) logger.warn({ redis: location.where, hint }, message);
  await connection.run(OPEN, [source, randomEpoch(), recordedAt()]);
  await verify(connection, location, source);
  const tailLoss = new TailLossDetector(connection, {
    source,
    streamPerResource,
    draftEpochEvent,
    clock,
    recordedAt,
    logger,
  });
  await tailLoss.check();
  return { source, durability, streamPerResource, tailLoss };
}

/** The source the feed at `url` belongs to, or undefined where there is no feed yet. */
export async function sourceOfRedisLog(url: string, logger: Logger): Promise<string | undefined> {
  const location = locationOf(url);
  const connection = new Connection(location, { logger });
  await connection.open();
  try {
    const source = await connection.call("HGET", `${location.prefix}meta`, "source");
    return typeof source === "string" ? source : undefined;
  } finally {
    connection.close();
  }
}

/** Checks what costs nothing to check: version, source, and that the events are all there. */
async function verify(connection: Connection, location: Location, source: string | undefined): Promise<void> {
  const [place, first, last] = await connection.together([
    ["HMGET", `${location.prefix}meta`, "schema", "source", "floor", "sequence"],
    ["XRANGE", `${location.prefix}log`, "-", "+", "COUNT", 1],
    ["XREVRANGE", `${location.prefix}log`, "+", "-", "COUNT", 1],
  ]);
  const [schema, owner, floor, sequence] = place as (string | null)[];
  const { where } = connection;
  if (!schema) {
    throw new LogUnusable(`There is no feed at ${where} to read`, {
      hint: "Check the address and ?feed=; the feed is begun by the process that writes it",
    });
  }
  if (Number(schema) !== SCHEMA_VERSION) {
    throw new LogUnusable(
      `The log at ${where} is of format ${schema}; this nomad-changefeed knows format ${SCHEMA_VERSION}`,
      { hint: "Run the nomad-changefeed that wrote it" },
    );
  }
  if (source !== undefined && owner !== source) {
    throw new LogUnusable(`The log at ${where} belongs to ${owner}, not to ${source}`, {
      hint: "Give each cluster and region a feed of its own with ?feed=name",
    });
  }
  const begins = sequenceOfFirst(first) ?? Number(sequence) + 1;
  const ends = sequenceOfFirst(last) ?? Number(floor);
  if (begins === Number(floor) + 1 && ends === Number(sequence)) return;
  throw new LogUnusable(
    `The log at ${where} should hold events ${Number(floor) + 1} to ${sequence} and holds ${begins} to ${ends}`,
    { hint: "Its keys were changed by another program; begin a new feed with ?feed=name" },
  );
}

function sequenceOfFirst(entries: unknown): number | undefined {
  const [entry] = entries as [id: string][];
  return entry === undefined ? undefined : sequenceOf(entry[0]);
}
