import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GenericContainer, Wait } from "testcontainers";
import { killBelow, unmountBelow } from "./nomad-node.ts";
import { own } from "./own-processes.ts";

/** A real Nomad agent to test against. */
export interface NomadAgent {
  readonly address: string;
  /** How it came to be, for the test's title. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** Of an agent that is started from NOMAD_BIN. */
interface AgentOptions {
  readonly acl?: boolean;
  /** Frames that its event stream keeps. Default: 100, as Nomad's. */
  readonly eventBufferSize?: number;
}

const IMAGE = "hashicorp/nomad:2.0";
const UP_WITHIN_MS = 90_000;

/**
 * The agent at NOMAD_ADDR, or a dev agent run from NOMAD_BIN, or one in a container where Docker answers.
 * A text where there is none: the reason, with what to do.
 */
export async function findNomadAgent(
  env: Readonly<Record<string, string | undefined>>,
  options: AgentOptions = {},
): Promise<NomadAgent | string> {
  const { NOMAD_ADDR: address, NOMAD_BIN: binary } = env;
  if (address !== undefined && address !== "") {
    return { address, origin: `NOMAD_ADDR ${address}`, stop: async () => undefined };
  }
  if (binary !== undefined && binary !== "") return startBinary(binary, env, options);
  try {
    return await startContainer();
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return `no real Nomad to test against: set NOMAD_ADDR or NOMAD_BIN, or start Docker (${why})`;
  }
}

/**
 * An agent that asks for tokens, and its management token: the one at NOMAD_ADDR with NOMAD_TOKEN, or a dev agent
 * run from NOMAD_BIN. A text where there is none: the reason.
 */
export async function findGuardedNomadAgent(
  env: Readonly<Record<string, string | undefined>>,
): Promise<(NomadAgent & { readonly token: string }) | string> {
  const { NOMAD_ADDR: address = "", NOMAD_TOKEN: token = "", NOMAD_BIN: binary = "" } = env;
  if (address !== "" && token !== "") {
    return { address, token, origin: `NOMAD_ADDR ${address}`, stop: async () => undefined };
  }
  if (binary === "")
    return "no real Nomad with ACLs to test against: set NOMAD_BIN, or NOMAD_ADDR and a management NOMAD_TOKEN";
  const agent = await startBinary(binary, env, { acl: true });
  if (typeof agent === "string") return agent;
  const response = await fetch(`${agent.address}/v1/acl/bootstrap`, { method: "POST" });
  return { ...agent, token: ((await response.json()) as { SecretID: string }).SecretID };
}

async function startBinary(
  binary: string,
  env: Readonly<Record<string, string | undefined>>,
  { acl = false, eventBufferSize }: AgentOptions,
): Promise<NomadAgent | string> {
  const directory = await mkdtemp(join(tmpdir(), "ncf-nomad-"));
  const [http, rpc, serf] = [await freePort(), await freePort(), await freePort()];
  const config = join(directory, "agent.hcl");
  // The cloud fingerprinters ask link-local addresses, which a test has no business with.
  await writeFile(
    config,
    `bind_addr = "127.0.0.1"
disable_update_check = true
acl { enabled = ${acl} }
server { event_buffer_size = ${eventBufferSize ?? 100} }
ports { http = ${http} rpc = ${rpc} serf = ${serf} }
client { options = { "fingerprint.denylist" = "env_aws,env_azure,env_digitalocean,env_gce" } }
`,
  );
  const child = own(
    spawn(binary, ["agent", "-dev", "-config", config], {
      stdio: "ignore",
      // What it runs has its place below the directory, and is found by that.
      env: { PATH: env["PATH"] ?? "", HOME: directory, TMPDIR: `${directory}/` },
    }),
    "nomad",
  );
  const exited = once(child, "exit");
  const failed = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`NOMAD_BIN cannot be run: ${error.message}`));
  });
  exited.catch(() => undefined);
  const address = `http://127.0.0.1:${http}`;
  const stop = async (): Promise<void> => {
    child.kill("SIGINT");
    const hard = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await exited;
    clearTimeout(hard);
    // Where it was killed, its tasks run on.
    await killBelow(directory);
    await unmountBelow(directory);
    await rm(directory, { recursive: true, force: true });
  };
  const up = untilUp(address, { ended: () => child.exitCode !== null, acl }).catch(async (error: unknown) => {
    if (child.pid !== undefined) await stop();
    throw error;
  });
  up.catch(() => undefined);
  const why = await Promise.race([failed, up]);
  if (why !== undefined) return why;
  return { address, origin: `agent -dev of ${binary}`, stop };
}

async function startContainer(): Promise<NomadAgent> {
  const container = await new GenericContainer(IMAGE)
    .withCommand(["agent", "-dev", "-bind", "0.0.0.0"])
    .withPrivilegedMode()
    .withExposedPorts(4646)
    .withWaitStrategy(Wait.forHttp("/v1/status/leader", 4646))
    .start();
  const address = `http://${container.getHost()}:${container.getMappedPort(4646)}`;
  await untilUp(address, { ended: () => false, acl: false });
  return {
    address,
    origin: `container ${IMAGE}`,
    stop: async () => {
      await container.stop();
    },
  };
}

/** Up: it has a leader, and a node that takes work; of one with ACLs only the leader can be seen. */
async function untilUp(
  address: string,
  { ended, acl }: { ended: () => boolean; acl: boolean },
): Promise<void> {
  const deadline = Date.now() + UP_WITHIN_MS;
  while (Date.now() < deadline) {
    if (ended()) throw new Error("the Nomad agent ended while starting");
    if (acl && (await hasLeader(address))) return;
    const nodes = await fetch(`${address}/v1/nodes`)
      .then(async (response) => (response.ok ? ((await response.json()) as { Status: string }[]) : []))
      .catch(() => []);
    if (nodes.some((node) => node.Status === "ready")) return;
    await delay(200);
  }
  throw new Error(`the Nomad agent at ${address} was not up within ${UP_WITHIN_MS / 1000} s`);
}

async function hasLeader(address: string): Promise<boolean> {
  const leader = await fetch(`${address}/v1/status/leader`)
    .then((response) => response.text())
    .catch(() => "");
  return /^"\S+:\d+"/.test(leader);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
