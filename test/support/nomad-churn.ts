import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import type { JobSpec, NomadWriter } from "./nomad-writer.ts";
import { until } from "./until.ts";

const JOBS_A_NAMESPACE = 5;
const SLEEP = "exec sleep 3600";

/**
 * Random operations on a real Nomad, by seed: jobs come and go under few names, in namespaces that come and go under
 * few names, and what is dead is collected at once. What Nomad refuses counts as done: it had a reason.
 */
export class NomadChurn {
  readonly #nomad: NomadWriter;
  readonly #random: Random;
  readonly #spaces: readonly string[];
  readonly #alive = new Set<string>(["default"]);
  readonly #tag: string;
  done = 0;
  refused = 0;

  /** `tag` leads every name, so that nobody else's is touched. */
  constructor(nomad: NomadWriter, random: Random, tag: string) {
    this.#nomad = nomad;
    this.#random = random;
    this.#tag = tag;
    this.#spaces = ["a", "b", "c"].map((name) => `${tag}-${name}`);
  }

  /** One operation; answers what it was. */
  async next(): Promise<string> {
    const [what, act] = this.#operation();
    try {
      await act();
      this.done += 1;
      return what;
    } catch (error) {
      this.refused += 1;
      return `${what}, refused: ${error instanceof Error ? error.message.slice(0, 120) : String(error)}`;
    }
  }

  /** Takes away whatever it made. */
  async end(): Promise<void> {
    for (const space of this.#alive) {
      await this.#empty(space).catch(() => undefined);
      // A task that still runs would outlive an agent that is stopped.
      await until("nothing runs", async () => (await this.#nomad.runningAllocations(space)).length === 0);
    }
    await this.#nomad.collectGarbage().catch(() => undefined);
    for (const space of this.#spaces) await this.#nomad.deleteNamespace(space).catch(() => undefined);
  }

  #operation(): [string, () => Promise<unknown>] {
    const random = this.#random;
    const namespace = random.pick([...this.#alive]);
    const id = `${this.#tag}-j${random.between(1, JOBS_A_NAMESPACE)}`;
    const space = random.pick(this.#spaces);
    const dice = random.between(0, 99);
    const job = `${namespace}/${id}`;
    const purge = random.chance(0.6);
    if (dice < 30) return [`register ${job}`, () => this.#nomad.registerJob(this.#job(id, namespace))];
    if (dice < 45) return [`stop ${job}`, () => this.#nomad.stopJob(id, namespace, { purge })];
    if (dice < 55) {
      return [`scale ${job}`, () => this.#nomad.scale(id, namespace, random.between(0, 3))];
    }
    if (dice < 62) return [`stop an allocation in ${namespace}`, () => this.#stopAllocation(namespace)];
    if (dice < 65) return [`tag ${job}`, () => this.#nomad.tagVersion(id, namespace, `t${dice}`)];
    if (dice < 67) return ["reconcile summaries", () => this.#nomad.reconcileSummaries()];
    if (dice < 77) return ["collect", () => this.#nomad.collectGarbage()];
    return this.#alive.has(space)
      ? [`delete namespace ${space}`, () => this.#deleteNamespace(space)]
      : [`create namespace ${space}`, () => this.#createNamespace(space)];
  }

  #job(id: string, namespace: string): JobSpec {
    const kind = this.#random.between(0, 4);
    const count = this.#random.between(1, 2);
    if (kind === 0) return { id, namespace, count, command: "exit 0", type: "batch" };
    if (kind === 1) return { id, namespace, count: 1, command: "exit 3", restarts: 1 };
    if (kind === 2) return { id, namespace, count: 1, command: SLEEP, type: "system" };
    // Some find no node, so that their evaluations stay blocked.
    if (kind === 3) return { id, namespace, count, command: SLEEP, datacenter: "nowhere" };
    return { id, namespace, count, command: SLEEP };
  }

  async #stopAllocation(namespace: string): Promise<void> {
    const running = await this.#nomad.runningAllocations(namespace);
    if (running.length > 0) await this.#nomad.stopAllocation(this.#random.pick(running), namespace);
  }

  async #createNamespace(space: string): Promise<void> {
    await this.#nomad.createNamespace(space);
    this.#alive.add(space);
    // A job at once, as tools that deploy do.
    if (this.#random.chance(0.5)) await this.#nomad.registerJob(this.#job(`${this.#tag}-j1`, space));
  }

  /** Nomad refuses while an allocation still ends; then it is tried again another time. */
  async #deleteNamespace(space: string): Promise<void> {
    await this.#empty(space);
    if (this.#random.chance(0.5)) await this.#nomad.collectGarbage();
    await this.#nomad.deleteNamespace(space);
    this.#alive.delete(space);
    if (this.#random.chance(0.3)) await this.#createNamespace(space);
  }

  async #empty(space: string): Promise<void> {
    for (let n = 1; n <= JOBS_A_NAMESPACE; n += 1) {
      await this.#nomad.stopJob(`${this.#tag}-j${n}`, space, { purge: true }).catch(() => undefined);
    }
  }
}
