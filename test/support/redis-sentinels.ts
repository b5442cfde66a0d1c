import { RedisServer } from "./redis-server.ts";
import { until } from "./until.ts";

const MASTER_NAME = "main";

/** A master, its two replicas, and three Sentinels that watch over them. */
export interface SentinelTrio extends AsyncDisposable {
  /** Without a feed: `redis+sentinel://…/main`. */
  readonly url: string;
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** The server that the Sentinels name as master. */
  master(): Promise<RedisServer>;
}

/** A failover takes about two seconds after the master fell silent. */
export async function startSentinelTrio(): Promise<SentinelTrio> {
  await using started = new AsyncDisposableStack();
  const quick = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", "--appendonly", "yes"];
  const master = started.use(await RedisServer.start(...quick));
  const following = ["--replicaof", "127.0.0.1", String(master.port)];
  const servers = [master];
  for (let n = 0; n < 2; n += 1) {
    servers.push(started.use(await RedisServer.start(...quick, ...following)));
  }
  const sentinels: RedisServer[] = [];
  for (let n = 0; n < 3; n += 1) {
    const watching = [
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 2`,
      `sentinel down-after-milliseconds ${MASTER_NAME} 1000`,
      `sentinel failover-timeout ${MASTER_NAME} 3000`,
    ];
    sentinels.push(started.use(await RedisServer.startSentinel(...watching)));
  }
  for (const sentinel of sentinels) await seesAll(sentinel);
  const owned = started.move();
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",")}/${MASTER_NAME}`,
    servers,
    sentinels,
    master: () => masterOf(servers, sentinels),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function seesAll(sentinel: RedisServer): Promise<void> {
  const client = sentinel.client();
  try {
    await until("the Sentinel sees two replicas and two other Sentinels", async () => {
      const text = String(await client.call("INFO", "SENTINEL").catch(() => ""));
      return text.includes("status=ok") && text.includes("slaves=2,sentinels=3");
    });
  } finally {
    client.disconnect();
  }
}

async function masterOf(
  servers: readonly RedisServer[],
  sentinels: readonly RedisServer[],
): Promise<RedisServer> {
  for (const sentinel of sentinels) {
    const client = sentinel.client();
    const reply = await client
      .call("SENTINEL", "get-master-addr-by-name", MASTER_NAME)
      .catch(() => undefined);
    client.disconnect();
    const [, port] = (reply ?? []) as string[];
    const master = servers.find((server) => server.port === Number(port));
    if (master !== undefined) return master;
  }
  throw new Error("no Sentinel names the master");
}
