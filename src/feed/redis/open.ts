import type { Clock } from "../../shared/clock.ts";
import { silentLogger, type Logger } from "../../telemetry/logger.ts";
import { randomEpoch } from "../epoch.ts";
import { LogUnusable } from "../errors.ts";
import { MAX_DEAD_LETTERS, type FeedLog } from "../log.ts";
import { checkServer } from "./checks.ts";
import { idAndFieldsOf, sequenceOf } from "./codec.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Durability } from "./durability.ts";
import { locationOf, type Location } from "./location.ts";
import { RedisLog, type WriterParts } from "./log.ts";
import { Reply, type ReplySource } from "./reply.ts";
import { OPEN } from "./log-scripts.ts";
import { TailLossDetector, type DraftEpochEvent } from "./tail-loss-detector.ts";

interface CommonOptions {
  /** As in location.ts. */
  readonly url: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** When something is recorded, ms since 1970. Default: by Redis's own clock, so that no worker's counts. */
  readonly recordedAt?: () => number;
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

/** The format of the keys. */
export const SCHEMA_VERSION = 2;

const byRedis = () => "" as const;

/**
 * Opens the log at `url`, and begins it where there is none. Keys that are not a whole log of this source are
 * refused and left as they are.
 * @throws LogUnusable, LogUnavailable, LogFull.
 */
export async function openRedisLog(options: RedisLogOptions): Promise<FeedLog> {
  const { url, logger, metrics, clock, silenceMs, maxDeadLetters = MAX_DEAD_LETTERS } = options;
  const { recordedAt = byRedis } = options;
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
  const { source, logger, draftEpochEvent, durability = "async", clock } = options;
  const { streamPerResource = false, recordedAt = byRedis } = options;
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
async function verify(connection: Connection, location: Location, wanted: string | undefined): Promise<void> {
  const [place, first, last] = await connection.together([
    ["HMGET", `${location.prefix}meta`, "schema", "source", "floor", "sequence"],
    ["XRANGE", `${location.prefix}log`, "-", "+", "COUNT", 1],
    ["XREVRANGE", `${location.prefix}log`, "+", "-", "COUNT", 1],
  ]);
  const source = connection.source(`${location.prefix}meta`);
  const meta = new Reply(place, source);
  const schema = meta.textOrNull(0, "schema");
  const owner = meta.textOrNull(1, "source");
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
  if (wanted !== undefined && owner !== wanted) {
    throw new LogUnusable(`The log at ${where} belongs to ${owner}, not to ${wanted}`, {
      hint: "Give each cluster and region a feed of its own with ?feed=name",
    });
  }
  const floor = meta.integer(2, "floor");
  const sequence = meta.integer(3, "sequence");
  const log = connection.source(`${location.prefix}log`);
  const begins = sequenceOfFirst(first, log) ?? sequence + 1;
  const ends = sequenceOfFirst(last, log) ?? floor;
  if (begins === floor + 1 && ends === sequence) return;
  throw new LogUnusable(
    `The log at ${where} should hold events ${floor + 1} to ${sequence} and holds ${begins} to ${ends}`,
    { hint: "Its keys were changed by another program; begin a new feed with ?feed=name" },
  );
}

function sequenceOfFirst(entries: unknown, source: ReplySource): number | undefined {
  const [entry] = new Reply(entries, source).parts;
  return entry === undefined ? undefined : sequenceOf(idAndFieldsOf(entry, source)[0], source);
}
