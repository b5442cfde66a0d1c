import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Admin } from "@platformatic/kafka";
import { own } from "./own-processes.ts";
import { binaryOf, freePort } from "./redis-server.ts";
import { until } from "./until.ts";

const run = promisify(execFile);

/** Why no broker can be started and read here; undefined where it can. */
export function kafkaMissing(): string | undefined {
  if (binaryOf("java") === undefined) return "no java in the PATH, which Kafka needs (17 or newer)";
  if (!existsSync(libraries()))
    return "no jars of Kafka: scripts/test fetches them, or TEST_KAFKA_LIBS names them";
  if (binaryOf("kcat") === undefined) return "no kcat in the PATH (apt-get install kcat)";
  return undefined;
}

function libraries(): string {
  return process.env["TEST_KAFKA_LIBS"] ?? join(homedir(), ".cache/nomad-changefeed/kafka");
}

const QUICK = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/** What kcat says of a record. */
export interface Consumed {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly payload: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

/**
 * A real Kafka in KRaft mode on loopback ports of its own. Without a password anybody is its admin at `port`; at
 * `signedPort`, which it advertises as `advertisedPort`, one signs in by SASL/PLAIN, and may do what no ACL denies.
 */
export class KafkaBroker implements AsyncDisposable {
  readonly admin: Admin;
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(port: number, process: ChildProcess, directory: string) {
    this.port = port;
    this.#process = process;
    this.#directory = directory;
    this.admin = new Admin({ clientId: "test", bootstrapBrokers: [`127.0.0.1:${port}`] });
  }

  static async start(
    ports: { signed: number; advertised: number },
    user: { name: string; password: string },
  ) {
    const directory = await mkdtemp(join(tmpdir(), "kafka-"));
    const [port, controllerPort] = [await freePort(), await freePort()];
    const file = join(directory, "server.properties");
    await writeFile(file, propertiesOf({ ...ports, port, controllerPort, directory }, user));
    const java = [...QUICK, "-cp", join(libraries(), "*")];
    const format = [
      "kafka.tools.StorageTool",
      "format",
      "--standalone",
      "-t",
      "AAAAAAAAAAAAAAAAAAAAAQ",
      "-c",
      file,
    ];
    await run("java", [...java, ...format]);
    const child = own(spawn("java", [...java, "kafka.Kafka", file], { stdio: "ignore" }), "kafka");
    const broker = new KafkaBroker(port, child, directory);
    await until("Kafka answers", () => {
      if (child.exitCode !== null) throw new Error(`Kafka ended with code ${child.exitCode}`);
      return broker.admin.listTopics().then(
        () => true,
        () => false,
      );
    });
    return broker;
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    await this.admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  }

  /** Everything in the topic, by kcat; partition after partition. */
  async consume(topic: string): Promise<Consumed[]> {
    const args = ["-C", "-b", `127.0.0.1:${this.port}`, "-t", topic, "-o", "beginning", "-e", "-J", "-q"];
    const { stdout } = await run("kcat", args, { maxBuffer: 64 * 2 ** 20 });
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Consumed).toSorted((a, b) => a.partition - b.partition);
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.close();
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
    await rm(this.#directory, { recursive: true, force: true });
  }
}

interface Place {
  readonly port: number;
  readonly signed: number;
  readonly advertised: number;
  readonly controllerPort: number;
  readonly directory: string;
}

function propertiesOf(
  { port, signed, advertised, controllerPort, directory }: Place,
  { name, password }: { name: string; password: string },
): string {
  const [open, secured, controller] = [port, signed, controllerPort].map((each) => `127.0.0.1:${each}`);
  const login = "org.apache.kafka.common.security.plain.PlainLoginModule";
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.bootstrap.servers=${controller}`,
    `listeners=OPEN://${open},SIGNED://${secured},CONTROLLER://${controller}`,
    `advertised.listeners=OPEN://${open},SIGNED://127.0.0.1:${advertised}`,
    "listener.security.protocol.map=OPEN:PLAINTEXT,SIGNED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name=OPEN",
    "controller.listener.names=CONTROLLER",
    "listener.name.signed.sasl.enabled.mechanisms=PLAIN",
    `listener.name.signed.plain.sasl.jaas.config=${login} required user_${name}="${password}";`,
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:ANONYMOUS",
    "allow.everyone.if.no.acl.found=true",
    "auto.create.topics.enable=false",
    "offsets.topic.replication.factor=1",
    `log.dirs=${join(directory, "data")}`,
    "",
  ].join("\n");
}
