import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./nomad-agent.ts";
import { killBelow, NomadNode, unmountBelow } from "./nomad-node.ts";
import { NomadProcess, type Ports } from "./nomad-process.ts";
import { until } from "./until.ts";

/** A real Nomad server without a node, with a data directory: it can be stopped, or killed, and started again. */
export class NomadServer extends NomadProcess {
  /** What the server takes for the leader's address; empty while there is none. */
  async leader(): Promise<string> {
    const response = await fetch(`${this.address}/v1/status/leader`).catch(() => undefined);
    return response?.ok === true ? ((await response.json()) as string) : "";
  }
}

interface ClusterOptions {
  readonly acl?: boolean;
  readonly region?: string;
  /** `limits.http_max_conns_per_client`. Default: 100, as Nomad's. */
  readonly connections?: number;
}

/** Real Nomad servers that elect a leader. */
export class NomadCluster implements AsyncDisposable {
  readonly servers: readonly NomadServer[];
  readonly #binary: string;
  readonly #directory: string;
  readonly #ports: readonly Ports[];
  readonly #nodes: NomadNode[] = [];

  private constructor(
    binary: string,
    servers: readonly NomadServer[],
    directory: string,
    ports: readonly Ports[],
  ) {
    this.#binary = binary;
    this.servers = servers;
    this.#directory = directory;
    this.#ports = ports;
  }

  static async start(
    binary: string,
    { size, ...options }: { size: number } & ClusterOptions,
  ): Promise<NomadCluster> {
    const directory = await mkdtemp(join(tmpdir(), "ncf-servers-"));
    const ports: Ports[] = [];
    for (let n = 0; n < size; n += 1) ports.push(await freePorts());
    const servers: NomadServer[] = [];
    for (const each of ports) {
      const place = await mkdtemp(join(directory, "server-"));
      await writeFile(join(place, "agent.hcl"), configOf(place, each, { ...options, all: ports }));
      servers.push(new NomadServer(binary, place, each.http));
    }
    for (const server of servers) server.start();
    const cluster = new NomadCluster(binary, servers, directory, ports);
    await cluster.led();
    return cluster;
  }

  /** Resolves with the leader when every server that answers knows one. */
  async led(): Promise<NomadServer> {
    return until(
      "a leader",
      async () => {
        const leaders = await Promise.all(this.servers.map((server) => server.leader()));
        const known = new Set(leaders.filter((leader) => leader !== ""));
        const position = this.#ports.findIndex(({ rpc }) => known.has(`127.0.0.1:${rpc}`));
        return known.size === 1 && leaders[position] !== "" && this.servers[position];
      },
      60_000,
    );
  }

  /** Federates its region with another one. */
  async join(other: NomadCluster): Promise<void> {
    const serf = other.#ports.map((ports) => `127.0.0.1:${ports.serf}`)[0] ?? "";
    const response = await fetch(`${this.servers[0]?.address}/v1/agent/join?address=${serf}`, {
      method: "PUT",
    });
    if (!response.ok) throw new Error(`cannot join: ${response.status} ${await response.text()}`);
  }

  /** A node that runs jobs; resolves when it is ready. No job may run any more when the cluster ends. */
  async startNode(): Promise<NomadNode> {
    const servers = this.#ports.map(({ rpc }) => `127.0.0.1:${rpc}`);
    const node = await NomadNode.create(this.#binary, this.#directory, await freePorts(), servers);
    this.#nodes.push(node);
    node.start();
    await until("the node is ready", () => node.isReady());
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.end("SIGKILL");
    for (const server of this.servers) await server.end("SIGKILL");
    if (this.#nodes.length > 0) await killBelow(this.#directory);
    if (this.#nodes.length > 0) await unmountBelow(this.#directory);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function freePorts(): Promise<Ports> {
  return { http: await freePort(), rpc: await freePort(), serf: await freePort() };
}

function configOf(
  place: string,
  { http, rpc, serf }: Ports,
  { acl = false, region = "global", connections = 100, all }: ClusterOptions & { all: readonly Ports[] },
): string {
  const others = all.map((each) => `"127.0.0.1:${each.serf}"`).join(", ");
  return `name = "server${http}"
bind_addr = "127.0.0.1"
advertise { http = "127.0.0.1" rpc = "127.0.0.1" serf = "127.0.0.1" }
data_dir = "${place}/data"
disable_update_check = true
leave_on_interrupt = false
region = "${region}"
acl { enabled = ${acl} }
limits { http_max_conns_per_client = ${connections} }
ports { http = ${http} rpc = ${rpc} serf = ${serf} }
server {
  enabled = true
  min_heartbeat_ttl = "5s"
  heartbeat_grace = "10s"
  bootstrap_expect = ${all.length}
  server_join { retry_join = [${others}] retry_interval = "1s" }
}
`;
}
