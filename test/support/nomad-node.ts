import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NomadProcess, type Ports } from "./nomad-process.ts";

/** A real Nomad client that runs jobs with raw_exec. When it is killed, its tasks run on, as on any machine. */
export class NomadNode extends NomadProcess {
  static async create(
    binary: string,
    directory: string,
    ports: Ports,
    servers: readonly string[],
  ): Promise<NomadNode> {
    const place = await mkdtemp(join(directory, "node-"));
    await writeFile(join(place, "agent.hcl"), configOf(place, ports, servers));
    return new NomadNode(binary, place, ports.http);
  }

  /** Undefined while it does not answer. */
  async id(): Promise<string | undefined> {
    return (await this.#stats())?.["node_id"];
  }

  /** How many allocations it runs, or holds until they end; undefined while it does not answer. */
  async allocations(): Promise<number | undefined> {
    const count = (await this.#stats())?.["num_allocations"];
    return count === undefined ? undefined : Number(count);
  }

  /** Whether it has told a server that it is there. */
  async isReady(): Promise<boolean> {
    const beat = (await this.#stats())?.["last_heartbeat"];
    return beat !== undefined && beat !== "0" && Number.parseInt(beat, 10) >= 0;
  }

  async #stats(): Promise<Readonly<Record<string, string>> | undefined> {
    const response = await fetch(`${this.address}/v1/agent/self`).catch(() => undefined);
    if (response?.ok !== true) return undefined;
    return ((await response.json()) as { stats: { client?: Record<string, string> } }).stats.client;
  }
}

/** Ends what killed clients leave running: tasks, and the processes that watch them. All have the directory in their environment. */
export async function killBelow(directory: string): Promise<void> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes(`=${directory}/`)) spawnSync("kill", ["-KILL", pid]);
  }
}

/** Takes away the file systems that a killed client leaves mounted, one for the secrets of each task. */
export async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
  for (const mount of mounts) if (mount.startsWith(`${directory}/`)) spawnSync("umount", [mount]);
}

/** The cloud fingerprinters ask link-local addresses, which a test has no business with. */
function configOf(place: string, { http, rpc, serf }: Ports, servers: readonly string[]): string {
  return `name = "node${http}"
bind_addr = "127.0.0.1"
advertise { http = "127.0.0.1" rpc = "127.0.0.1" serf = "127.0.0.1" }
data_dir = "${place}/data"
disable_update_check = true
leave_on_interrupt = false
ports { http = ${http} rpc = ${rpc} serf = ${serf} }
client {
  enabled = true
  servers = [${servers.map((server) => `"${server}"`).join(", ")}]
  network_interface = "lo"
  options = { "fingerprint.denylist" = "env_aws,env_azure,env_digitalocean,env_gce" }
}
plugin "raw_exec" { config { enabled = true } }
`;
}
