import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { rereader } from "../../src/config/reread.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { secretReader } from "../../src/config/secrets.ts";
import { alertListSchema } from "../../src/schemas/alert-schema.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { runCli } from "./cli.ts";
import { startBridge, type StartedBridge } from "./started-bridge.ts";
import { WebhookSink, type Received } from "./webhook-sink.ts";

/** Of the simulated cluster nothing but nodes that are down fires, and that at once. */
const RULES = `alerts:
  rules:
    NodeDown: { for: 0s, keepFiringFor: 0s }
${[
  "NodeDisconnected",
  "DriverUnhealthy",
  "JobOverdue",
  "PlacementBlocked",
  "JobFailing",
  "JobExhausted",
  "OomKilled",
  "JobFlapping",
]
  .map((name) => `    ${name}: off\n`)
  .join("")}`;

/** A bridge over a simulated cluster of three nodes, and somebody who is told of alerts by HTTP. */
export class ToldBridge implements AsyncDisposable {
  readonly sink: WebhookSink;
  readonly #simulator: Simulator;
  readonly #nomadAddr: string;
  readonly #directory: string;
  readonly #env: Readonly<Record<string, string>>;
  #bridge: StartedBridge | undefined;

  private constructor(parts: {
    sink: WebhookSink;
    simulator: Simulator;
    nomadAddr: string;
    directory: string;
    env: Readonly<Record<string, string>>;
  }) {
    this.sink = parts.sink;
    this.#simulator = parts.simulator;
    this.#nomadAddr = parts.nomadAddr;
    this.#directory = parts.directory;
    this.#env = parts.env;
  }

  /** `env`: what stands behind references. */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<ToldBridge> {
    const simulator = createSimulator({ seed: 3, allocations: 20, nodes: 3, namespaces: 1 });
    const nomadAddr = await simulator.listen();
    const directory = await mkdtemp(join(tmpdir(), "ncf-told-"));
    const sink = await WebhookSink.start();
    return new ToldBridge({ sink, simulator, nomadAddr, directory, env });
  }

  get url(): string {
    return this.#running.url;
  }

  get file(): string {
    return join(this.#directory, "feed.yaml");
  }

  /** Ids of the nodes. */
  get nodes(): string[] {
    return [...this.#simulator.cluster.state.tables.nodes.values()].map(({ key }) => key);
  }

  setNode(node: string | undefined, status: "down" | "ready"): void {
    this.#simulator.cluster.setNodeStatus(node ?? "", status);
  }

  /** Starts it, or starts it again where it was, with these destinations and routes in its file. */
  async start(file: string): Promise<void> {
    await this.#bridge?.stop();
    this.write(file);
    const flags = {
      config: this.file,
      nomadAddr: this.#nomadAddr,
      feed: `sqlite:${join(this.#directory, "feed.db")}`,
      listen: "127.0.0.1:0",
    };
    const given = { flags, env: { ...this.#env } };
    const resolved = resolveConfig(given);
    const reread = rereader(resolved, given);
    this.#bridge = await startBridge(resolved.config, {
      logger: silentLogger(),
      readSecret: secretReader({ ...this.#env }),
      ...(reread && { reread }),
    });
    await this.#bridge.ready();
  }

  write(file: string): void {
    writeFileSync(this.file, `${RULES}${file}`);
  }

  /** Runs a command against it. */
  cli(...args: string[]): ReturnType<typeof runCli> {
    return runCli([...args, "--url", this.url]);
  }

  async alerts() {
    const response = await fetch(`${this.url}/v1/alerts`);
    return alertListSchema.parse(await response.json());
  }

  /** What came, of those requests, in order: `firing a, b; resolved c`, with the nodes. */
  told(which: (request: Received) => boolean = () => true): string[] {
    return this.sink.taken.filter(which).map(({ body }) => {
      const { firing, resolved } = JSON.parse(body.toString()) as Notified;
      const named = (what: string, alerts: Notified["firing"]) =>
        alerts.length === 0 ? [] : [`${what} ${alerts.map(({ labels }) => labels["node"]).join(", ")}`];
      return [...named("firing", firing), ...named("resolved", resolved)].join("; ");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bridge?.stop();
    await this.#simulator.close();
    await this.sink[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #running(): StartedBridge {
    if (this.#bridge === undefined) throw new Error("the bridge was not started");
    return this.#bridge;
  }
}

interface Notified {
  readonly firing: readonly { readonly labels: Readonly<Record<string, string>> }[];
  readonly resolved: Notified["firing"];
}
