import type { Redis } from "ioredis";
import { freePort, RedisServer } from "./redis-server.ts";
import { until } from "./until.ts";

const MASTERS = 3;
const SLOTS = 16_384;
const BUS_ABOVE = 10_000;
const NODE_TIMEOUT_MS = 1500;

/** Three masters, each with one replica. */
export interface TestCluster extends AsyncDisposable {
  /** Without a feed: `redis+cluster://…`; names the first two nodes only. */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** The node that is master of the slot of this key, as the living nodes say. */
  masterOf(key: string): Promise<RedisServer>;
  /** Moves the slot of this key to another master; calls `halfway` when some of its keys have moved. */
  moveSlot(key: string, halfway?: () => Promise<void>): Promise<void>;
}

/** A replica takes its master's place about two seconds after it fell silent. */
export async function startCluster(...settings: string[]): Promise<TestCluster> {
  await using started = new AsyncDisposableStack();
  const nodes: RedisServer[] = [];
  for (let n = 0; n < 2 * MASTERS; n += 1) {
    nodes.push(
      started.use(await RedisServer.startWith({ port: await clusterPort() }, ...nodeSettings(settings))),
    );
  }
  const clients = nodes.map((node) => started.adopt(node.client(), (client) => client.disconnect()));
  await join(nodes, clients);
  const owned = started.move();
  const [first, second] = nodes;
  return {
    url: `redis+cluster://127.0.0.1:${first?.port},127.0.0.1:${second?.port}`,
    nodes,
    masterOf: async (key) => (await mastersOf(nodes, clients, key))[0],
    moveSlot: (key, halfway) => moveSlot(nodes, clients, key, halfway),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function nodeSettings(settings: readonly string[]): string[] {
  const cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", String(NODE_TIMEOUT_MS)];
  const quick = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", "--appendonly", "yes"];
  return [...cluster, "--cluster-replica-validity-factor", "0", ...quick, ...settings];
}

/** A free port below 55536, so that the port of the cluster bus, 10000 above, is one too. */
export async function clusterPort(): Promise<number> {
  return until("a port with a free one above it", async () => {
    const port = await freePort();
    return port + BUS_ABOVE < 65_536 && port;
  });
}

/** The first half of the nodes become masters, each of the others the replica of one. */
async function join(nodes: readonly RedisServer[], clients: readonly Redis[]): Promise<void> {
  for (const [n, client] of clients.entries()) {
    await client.call("CLUSTER", "SET-CONFIG-EPOCH", n + 1);
    for (const { port } of nodes.slice(0, n)) await client.call("CLUSTER", "MEET", "127.0.0.1", port);
  }
  for (let n = 0; n < MASTERS; n += 1) {
    const [from, to] = [Math.ceil((n * SLOTS) / MASTERS), Math.ceil(((n + 1) * SLOTS) / MASTERS)];
    await clients[n]?.call(
      "CLUSTER",
      "ADDSLOTS",
      ...Array.from({ length: to - from }, (_, slot) => from + slot),
    );
  }
  await everyNode(clients, "knows all others", async (client) => {
    const known = String(await client.call("CLUSTER", "NODES"))
      .trim()
      .split("\n");
    return known.length === nodes.length && !known.some((line) => line.includes("handshake"));
  });
  for (let n = MASTERS; n < nodes.length; n += 1) {
    const id = String(await clients[n - MASTERS]?.call("CLUSTER", "MYID"));
    await clients[n]?.call("CLUSTER", "REPLICATE", id);
  }
  await everyNode(clients, "serves all slots", async (client) =>
    /cluster_state:ok/.test(String(await client.call("CLUSTER", "INFO"))),
  );
  await everyNode(clients, "is a master with its replica, or a replica with its master", async (client) =>
    /connected_slaves:1|master_link_status:up/.test(await client.info("replication")),
  );
}

async function everyNode(
  clients: readonly Redis[],
  what: string,
  holds: (client: Redis) => Promise<boolean>,
): Promise<void> {
  for (const client of clients) {
    await until(`every node ${what}`, () => holds(client).catch(() => false));
  }
}

/** Those who answer. */
async function ask(
  clients: readonly Redis[],
  ...command: [string, ...(string | number)[]]
): Promise<unknown[]> {
  const replies = await Promise.all(clients.map((client) => client.call(...command).catch(() => undefined)));
  return replies.filter((reply) => reply !== undefined);
}

type Range = [from: number, to: number, master: [host: string, port: number]];

/** The node that is master of the key's slot, and one that is master of another. */
async function mastersOf(
  nodes: readonly RedisServer[],
  clients: readonly Redis[],
  key: string,
): Promise<[own: RedisServer, other: RedisServer]> {
  const [slot] = await ask(clients, "CLUSTER", "KEYSLOT", key);
  const [ranges = []] = (await ask(clients, "CLUSTER", "SLOTS")) as Range[][];
  const master = ranges.find(([from, to]) => from <= Number(slot) && Number(slot) <= to)?.[2][1];
  const own = nodes.find(({ port }) => port === master);
  const other = nodes.find(({ port }) => port !== master && ranges.some((range) => range[2][1] === port));
  if (own === undefined || other === undefined) throw new Error(`no node is master of ${key}`);
  return [own, other];
}

async function moveSlot(
  nodes: readonly RedisServer[],
  clients: readonly Redis[],
  key: string,
  halfway: () => Promise<void> = async () => undefined,
): Promise<void> {
  const [from, to] = await mastersOf(nodes, clients, key);
  const [source, target] = [clients[nodes.indexOf(from)], clients[nodes.indexOf(to)]];
  if (source === undefined || target === undefined) throw new Error("not a node of this cluster");
  const slot = Number(await source.call("CLUSTER", "KEYSLOT", key));
  const [sourceId, targetId] = [await source.call("CLUSTER", "MYID"), await target.call("CLUSTER", "MYID")];
  await target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", String(sourceId));
  await source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", String(targetId));
  const keys = (await source.call("CLUSTER", "GETKEYSINSLOT", slot, 1000)) as string[];
  for (const [n, name] of keys.entries()) {
    if (n === Math.floor(keys.length / 2)) await halfway();
    await source.call("MIGRATE", "127.0.0.1", to.port, name, 0, 5000);
  }
  for (const client of [target, source])
    await client.call("CLUSTER", "SETSLOT", slot, "NODE", String(targetId));
}
