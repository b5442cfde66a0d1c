import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { killed, own } from "./own-processes.ts";
import { binaryOf, freePort } from "./redis-server.ts";
import { until } from "./until.ts";

const BUILT = join(homedir(), ".cache/nomad-changefeed/versitygw");
const BUCKET = "audit";

/** Why no server for S3 can be started here; undefined where it can. */
export function s3Missing(): string | undefined {
  return program() === undefined
    ? "no versitygw: scripts/test builds it where there is Go, or TEST_S3_SERVER names it"
    : undefined;
}

function program(): string | undefined {
  const named = process.env["TEST_S3_SERVER"];
  if (named !== undefined) return named;
  return existsSync(BUILT) ? BUILT : binaryOf("versitygw");
}

/** A real server for S3 on a loopback port of its own, with a bucket whose objects are files below a folder of its own. */
export class S3Server implements AsyncDisposable {
  readonly accessKeyId = "test-key";
  readonly secretAccessKey = "test-secret-0123456789";
  readonly bucket = BUCKET;
  readonly #port: number;
  readonly #root: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, root: string) {
    this.#port = port;
    this.#root = root;
  }

  static async start(): Promise<S3Server> {
    const server = new S3Server(await freePort(), await mkdtemp(join(tmpdir(), "s3-")));
    await mkdir(server.folder);
    await server.start();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Where the bucket's objects are files. */
  get folder(): string {
    return join(this.#root, BUCKET);
  }

  /** Starts it (again) on the same port and files; answers when it takes connections. */
  async start(): Promise<void> {
    const { accessKeyId, secretAccessKey } = this;
    const flags = [
      "--quiet",
      "--port",
      `127.0.0.1:${this.#port}`,
      "--access",
      accessKeyId,
      "--secret",
      secretAccessKey,
    ];
    const child = own(
      spawn(String(program()), [...flags, "posix", this.#root], { stdio: "ignore" }),
      "versitygw",
    );
    this.#process = child;
    await until("the S3 server takes connections", () => {
      if (child.exitCode !== null) throw new Error(`versitygw does not run: exit ${child.exitCode}`);
      return takesConnections(this.#port);
    });
  }

  /** It answers nobody, until `start`. */
  kill(): Promise<void> {
    return killed(this.#process);
  }

  /** It takes what comes and answers nothing, until `resume`. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#root, { recursive: true });
  }
}

function takesConnections(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
