import type { Redis, RedisOptions } from "ioredis";
import { isReplyError } from "./errors.ts";
import { addressText, type Address, type Location } from "./location.ts";
import { Reply, type ReplySource } from "./reply.ts";

/** How long one Sentinel or node may take to say who the master is. */
const ASK_MS = 2000;

/** Whom to ask: the addresses given, beginning with `first`, and the nodes that a cluster was seen to have. */
export interface Guides {
  first: number;
  learned: readonly Address[];
}

/** How replies are shaped is the same for every client. */
export type ClientOptions = Omit<RedisOptions, "replyMapping">;

type Create = (location: Location, options: ClientOptions) => Redis;

/** Where the master is now: of the group that the Sentinels watch, or of the feed's slot. */
export async function findMaster(
  location: Location,
  guides: Guides,
  signal: AbortSignal,
  create: Create,
): Promise<Address> {
  const failures: string[] = [];
  let refusal: Error | undefined;
  for (const guide of inTurn(location, guides)) {
    if (location.kind === "server") return guide;
    try {
      return await withGuide(guideAt(guide, location), { signal, create }, (client) =>
        location.kind === "sentinel"
          ? masterOfGroup(client, guide, location.masterName)
          : masterOfSlot(client, guide, location, guides),
      );
    } catch (error) {
      signal.throwIfAborted();
      guides.first += 1;
      if (isReplyError(error)) refusal = error;
      failures.push(`${addressText(guide)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw refusal ?? new Error(`nobody names the master (${failures.join("; ")})`);
}

function inTurn({ addresses }: Location, { first, learned }: Guides): Address[] {
  const start = first % addresses.length;
  const given = [...addresses.slice(start), ...addresses.slice(0, start)];
  const known = new Set(given.map(addressText));
  return [...given, ...learned.filter((address) => !known.has(addressText(address)))];
}

/** The guide as a server by itself. */
function guideAt(guide: Address, location: Location): Location {
  const { username, password } =
    location.kind === "sentinel"
      ? { username: location.sentinelUser, password: location.sentinelPassword }
      : location;
  return { ...location, kind: "server", addresses: [guide], username, password, db: 0 };
}

async function withGuide<T>(
  location: Location,
  { signal, create }: { signal: AbortSignal; create: Create },
  ask: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = create(location, {
    protocol: 2,
    connectTimeout: ASK_MS,
    commandTimeout: ASK_MS,
    retryStrategy: null,
    reconnectOnError: null,
    enableReadyCheck: false,
  });
  let cause: Error | undefined;
  client.on("error", (error: Error) => (cause = error));
  const giveUp = () => client.disconnect();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await client.connect();
    return await ask(client);
  } catch (error) {
    throw isReplyError(error) ? error : (cause ?? error);
  } finally {
    signal.removeEventListener("abort", giveUp);
    client.disconnect();
  }
}

async function masterOfGroup(client: Redis, guide: Address, name: string): Promise<Address> {
  const reply = await client.call("SENTINEL", ["get-master-addr-by-name", name]);
  if (reply === null) throw new Error(`knows no master named ${JSON.stringify(name)}`);
  const master = new Reply(reply, sourceOf(guide, "the answer to SENTINEL get-master-addr-by-name"));
  return { host: master.text(0, "host"), port: master.integer(1, "port") };
}

async function masterOfSlot(
  client: Redis,
  guide: Address,
  { prefix }: Location,
  guides: Guides,
): Promise<Address> {
  const slot = Number(await client.call("CLUSTER", ["KEYSLOT", prefix]));
  const slots = new Reply(
    await client.call("CLUSTER", ["SLOTS"]),
    sourceOf(guide, "the answer to CLUSTER SLOTS"),
  );
  const ranges = slots.lists("range").map((range) => ({
    first: range.integer(0, "first slot"),
    last: range.integer(1, "last slot"),
    // The master first.
    nodes: range.lists("node", 2).map((node) => ({
      // A node that does not know its own address means the one we reached it by.
      host: node.textOrNull(0, "host") || guide.host,
      port: node.integer(1, "port"),
    })),
  }));
  guides.learned = ranges.flatMap(({ nodes }) => nodes);
  const master = ranges.find(({ first, last }) => first <= slot && slot <= last)?.nodes[0];
  if (master === undefined) throw new Error(`knows no master of slot ${slot}, in which the feed lies`);
  return master;
}

function sourceOf(guide: Address, what: string): ReplySource {
  return { where: addressText(guide), what, isOfServer: true };
}
