import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Admin } from "@platformatic/kafka";
import { killed, own } from "./own-processes.ts";
import { binaryOf, freePort } from "./redis-server.ts";
import { createTestAuthority, type TestAuthority } from "./tls-certificates.ts";
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

/** An answer without events is not kept back for half a second, as the end of each partition would be. */
const ASK_AT_ONCE = ["-X", "fetch.wait.max.ms=10"];
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
 * `signedPort`, which it advertises as `advertisedPort`, one signs in by SASL/PLAIN, and may do what no ACL denies. At `tlsPort`
 * it is kafka.internal, and wants a certificate of its authority.
 */
export class KafkaBroker implements AsyncDisposable {
  readonly admin: Admin;
  readonly port: number;
  readonly tlsPort: number;
  readonly authority: TestAuthority;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor({ port, tlsPort, directory }: Place, authority: TestAuthority, process: ChildProcess) {
    this.port = port;
    this.tlsPort = tlsPort;
    this.authority = authority;
    this.#process = process;
    this.#directory = directory;
    this.admin = new Admin({ clientId: "test", bootstrapBrokers: [`127.0.0.1:${port}`] });
  }

  static async start(
    ports: { signed: number; advertised: number },
    user: { name: string; password: string },
  ) {
    const directory = await mkdtemp(join(tmpdir(), "kafka-"));
    const authority = createTestAuthority("kafka");
    const free = { port: await freePort(), controllerPort: await freePort(), tlsPort: await freePort() };
    const place = { ...ports, ...free, directory, ca: authority.ca, pair: pairIn(directory) };
    const { cert, key } = authority.issue("broker", "DNS:kafka.internal");
    await writeFile(place.pair, (await readFile(key, "utf8")) + (await readFile(cert, "utf8")));
    const file = join(directory, "server.properties");
    await writeFile(file, propertiesOf(place, user));
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
    const broker = new KafkaBroker(place, authority, child);
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
    const args = [
      "-C",
      "-b",
      `127.0.0.1:${this.port}`,
      "-t",
      topic,
      "-o",
      "beginning",
      "-e",
      "-J",
      "-q",
      ...ASK_AT_ONCE,
    ];
    const { stdout } = await run("kcat", args, { maxBuffer: 64 * 2 ** 20 });
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Consumed).toSorted((a, b) => a.partition - b.partition);
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.close();
    await killed(this.#process);
    this.authority[Symbol.dispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

interface Place {
  readonly port: number;
  readonly signed: number;
  readonly advertised: number;
  readonly controllerPort: number;
  readonly tlsPort: number;
  readonly directory: string;
  /** PEM files: of the authority, and of the broker's key and certificate. */
  readonly ca: string;
  readonly pair: string;
}

function pairIn(directory: string): string {
  return join(directory, "broker.pem");
}

function propertiesOf(
  { port, signed, advertised, controllerPort, tlsPort, directory, ca, pair }: Place,
  { name, password }: { name: string; password: string },
): string {
  const [open, secured, controller, tls] = [port, signed, controllerPort, tlsPort].map(
    (each) => `127.0.0.1:${each}`,
  );
  const login = "org.apache.kafka.common.security.plain.PlainLoginModule";
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.bootstrap.servers=${controller}`,
    `listeners=OPEN://${open},SIGNED://${secured},TLS://${tls},CONTROLLER://${controller}`,
    `advertised.listeners=OPEN://${open},SIGNED://127.0.0.1:${advertised},TLS://${tls}`,
    "listener.security.protocol.map=OPEN:PLAINTEXT,SIGNED:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name=OPEN",
    "controller.listener.names=CONTROLLER",
    "listener.name.signed.sasl.enabled.mechanisms=PLAIN",
    `listener.name.signed.plain.sasl.jaas.config=${login} required user_${name}="${password}";`,
    "listener.name.tls.ssl.client.auth=required",
    "listener.name.tls.ssl.keystore.type=PEM",
    `listener.name.tls.ssl.keystore.location=${pair}`,
    "listener.name.tls.ssl.truststore.type=PEM",
    `listener.name.tls.ssl.truststore.location=${ca}`,
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:ANONYMOUS",
    "allow.everyone.if.no.acl.found=true",
    "auto.create.topics.enable=false",
    "offsets.topic.replication.factor=1",
    `log.dirs=${join(directory, "data")}`,
    "",
  ].join("\n");
}
