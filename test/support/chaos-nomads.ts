import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import { ChaosCluster } from "./chaos-cluster.ts";
import { federatedNomad } from "./federated-nomad.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** A feed, and the cluster that it is of. */
export interface ChaosFeed {
  readonly name: string;
  readonly region: string | undefined;
  readonly cluster: ChaosCluster;
}

interface ChaosNomadsOptions {
  readonly feeds: number;
  readonly seed: number;
  /** Of all clusters together. */
  readonly allocations: number;
  readonly random: Random;
  readonly say: (line: string) => void;
}

const REGIONS = ["eu", "us"] as const;

/** A Nomad that is asked for a feed, or for one of each of its regions; it is killed, while its cluster lives on. */
export class ChaosNomad implements AsyncDisposable {
  readonly feeds: readonly ChaosFeed[];
  isAway = false;
  readonly #way: TcpProxy;
  readonly #parts: AsyncDisposableStack;

  private constructor(feeds: readonly ChaosFeed[], way: TcpProxy, parts: AsyncDisposableStack) {
    this.feeds = feeds;
    this.#way = way;
    this.#parts = parts;
  }

  static async start(feeds: readonly ChaosFeed[]): Promise<ChaosNomad> {
    await using starting = new AsyncDisposableStack();
    const urls = new Map<string, string>();
    for (const { name, region = name, cluster } of feeds) {
      starting.defer(() => cluster.simulator.close());
      urls.set(region, await cluster.simulator.listen());
    }
    const url = urls.size === 1 ? [...urls.values()].join("") : starting.use(await federatedNomad(urls)).url;
    const way = starting.use(await TcpProxy.to(Number(new URL(url).port)));
    return new ChaosNomad(feeds, way, starting.move());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#way.port}`;
  }

  get name(): string {
    return this.feeds.map(({ name }) => name).join(" and ");
  }

  /** Every connection breaks, none comes to be, and the events that its stream kept are gone. */
  kill(): void {
    this.isAway = true;
    this.#way.cut();
    for (const { cluster } of this.feeds) cluster.simulator.faults.forgetEvents();
  }

  begin(): void {
    this.isAway = false;
    this.#way.mend();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** A Nomad for each feed; from three on, the last two are regions of one. */
export async function startNomads({ feeds, ...options }: ChaosNomadsOptions): Promise<ChaosNomad[]> {
  const feedAt = (at: number, name: string, region?: string): ChaosFeed => {
    const say = (line: string) => options.say(`${name}: ${line}`);
    const allocations = Math.ceil(options.allocations / feeds);
    const seed = options.seed * 100 + at;
    const regional = region === undefined ? {} : { region };
    const cluster = new ChaosCluster({ ...options, ...regional, seed, allocations, say });
    return { name, region, cluster };
  };
  const alone = feeds < 3 ? feeds : feeds - REGIONS.length;
  const groups = Array.from({ length: alone }, (_, at) => [feedAt(at, `cluster-${at + 1}`)]);
  if (alone < feeds)
    groups.push(REGIONS.map((region, at) => feedAt(alone + at, `cluster-${alone + 1}-${region}`, region)));
  return Promise.all(groups.map((group) => ChaosNomad.start(group)));
}
