import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killed, own } from "./own-processes.ts";
import { binaryOf, freePort } from "./redis-server.ts";
import { until } from "./until.ts";

const PROGRAM = "prometheus-alertmanager";

/** Why no Alertmanager can be started here; undefined where it can. */
export function alertmanagerMissing(): string | undefined {
  return binaryOf(PROGRAM) === undefined || binaryOf("amtool") === undefined
    ? `no ${PROGRAM} and amtool in the PATH (apt-get install ${PROGRAM})`
    : undefined;
}

/** An alert as amtool prints it. */
export interface SeenAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
}

/** An Alertmanager of Debian, alone, that tells nobody. */
export class Alertmanager implements AsyncDisposable {
  readonly url: string;
  readonly #directory: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Alertmanager> {
    const directory = await mkdtemp(join(tmpdir(), "ncf-alertmanager-"));
    await writeFile(
      join(directory, "alertmanager.yml"),
      "route: { receiver: none }\nreceivers: [{ name: none }]\n",
    );
    const alertmanager = new Alertmanager(directory, await freePort());
    await alertmanager.run();
    return alertmanager;
  }

  async run(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    this.#process = own(
      spawn(
        PROGRAM,
        [
          `--config.file=${at("alertmanager.yml")}`,
          `--storage.path=${at("data")}`,
          `--web.listen-address=127.0.0.1:${this.#port}`,
          "--cluster.listen-address=",
          "--log.level=error",
        ],
        { stdio: "ignore" },
      ),
      PROGRAM,
    );
    await until("Alertmanager is ready", () =>
      fetch(`${this.url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }

  async stop(): Promise<void> {
    await killed(this.#process);
  }

  /** What fires there, as its own tool says. */
  alerts(): SeenAlert[] {
    const { stdout } = spawnSync(
      "amtool",
      [`--alertmanager.url=${this.url}`, "--output=json", "alert", "query"],
      {
        encoding: "utf8",
      },
    );
    return JSON.parse(stdout) as SeenAlert[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
