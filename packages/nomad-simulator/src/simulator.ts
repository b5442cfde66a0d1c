import { AclAdmin, type Token } from "./acl/acl-admin.ts";
import type { ConnectionSlots } from "./api/connections.ts";
import type { ApiContext } from "./api/context.ts";
import { ApiServer } from "./api/server.ts";
import { Agenda } from "./churn/agenda.ts";
import { churnStep } from "./churn/churn.ts";
import { namespaceNames, populate } from "./churn/populate.ts";
import type { World } from "./churn/world.ts";
import { Cluster } from "./cluster/cluster.ts";
import { FaultRules } from "./fault-rules.ts";
import { Faults } from "./faults.ts";
import { CORE_TYPES, type ResourceType } from "../../../src/schemas/resources.ts";
import { PLAIN_TABLES } from "./store/plain-tables.ts";
import { Operator } from "./operator.ts";
import type { Journal } from "./journal.ts";
import { Leadership } from "./leadership.ts";
import { Raft, type Snapshot } from "./raft.ts";
import { createRandom } from "./random.ts";

export interface SimulatorOptions {
  readonly seed?: number;
  /** Allocations at the start, 0 to 100,000. Default 0: a fresh agent. */
  readonly allocations?: number;
  /** Default: one for 50 allocations, at least 3; none where there are no allocations. */
  readonly nodes?: number;
  /** Their names beside "default", or how many with it. Default 1: "default" alone. */
  readonly namespaces?: number | readonly string[];
  /** Enforces ACLs from the start; `managementToken` says what to use then. Default false. */
  readonly acl?: boolean;
  /** Connections per client address, 0 for no limit. Default 100, as Nomad's. */
  readonly connectionLimit?: number;
  /** How long a request waits for a leader, ms. Default 5000, as Nomad's. */
  readonly leaderHoldMs?: number;
  /** Journal entries kept. Default 100,000. */
  readonly journalLimit?: number;
  /** Frames each server keeps for event streams. Default 100, as Nomad's. */
  readonly eventBufferSize?: number;
  /** Between two heartbeats of an event stream, ms. Default 30,000, as Nomad's. */
  readonly heartbeatMs?: number;
  /**
   * Event streams as since Nomad 1.11.2: 200 before the rights are looked at, so that a denied one just ends. False:
   * a denied one is a 403, and one that ends says why. Default true.
   */
  readonly hijacks?: boolean;
  readonly region?: string;
  /** Milliseconds since 1970. Default: the system's. */
  readonly clock?: () => number;
}

/** True state as text, per resource: `namespace/key` (for cluster-wide ones `-/key`) to canonical stub. */
export type TrueState = Map<ResourceType, Map<string, string>>;

export interface Simulator {
  /** Returns the URL. */
  listen(options?: { port?: number; host?: string }): Promise<string>;
  /** Ends every connection, sleeping queries included, and the timed churn. */
  close(): Promise<void>;
  /** Lives through that many steps at once. */
  churn(steps: number): void;
  /** Churns by the clock until `stop`. */
  start(options: { changesPerSecond: number }): void;
  stop(): void;
  readonly cluster: Cluster;
  readonly acl: AclAdmin;
  /** What it tells of itself. */
  readonly operator: Operator;
  readonly faults: Faults;
  /** Every true change since the start. */
  readonly journal: Journal;
  /** What a client should see in the end. Compare with `canonicalStub`. */
  state(): TrueState;
  snapshot(): Snapshot;
  /**
   * Goes back to a snapshot. Clients see indexes below their own once their queries time out; with `hidden`
   * a burst of writes lifts every index first, so that nothing but the content shows it.
   */
  restore(snapshot: Snapshot, options?: { hidden?: boolean }): void;
  /** Raft index of the newest entry. */
  readonly index: number;
  /** Queries asleep on the leader. */
  readonly sleepers: number;
  /** Event streams that are open. */
  readonly subscriptions: number;
  readonly connections: ConnectionSlots;
  /** The bootstrap token, where ACLs are enforced. */
  readonly managementToken: Token | undefined;
}

/** A Nomad cluster with its HTTP API in this process. The same seed lives the same life. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const seed = options.seed ?? 1;
  const clock = options.clock ?? Date.now;
  const raft = new Raft({
    random: createRandom(seed),
    clock,
    journalLimit: options.journalLimit ?? 100_000,
    eventBufferSize: options.eventBufferSize ?? 100,
  });
  const cluster = new Cluster(raft);
  const acl = new AclAdmin(raft);
  const leadership = new Leadership(clock);
  const operator = new Operator();
  const rules = new FaultRules(createRandom(seed + 2));
  const closing = new AbortController();
  const world = createWorld(raft, cluster, seed, options);
  const context: ApiContext = {
    raft,
    leadership,
    aclEnabled: options.acl ?? false,
    region: options.region ?? "global",
    operator,
    holdMs: options.leaderHoldMs ?? 5000,
    heartbeatMs: options.heartbeatMs ?? 30_000,
    hijacks: options.hijacks ?? true,
    clock,
    random: createRandom(seed + 3),
    signal: closing.signal,
  };
  const managementToken =
    options.acl === true ? acl.createToken({ type: "management", name: "Bootstrap Token" }) : undefined;
  raft.startJournal();
  const server = new ApiServer({ context, cluster, rules, connectionLimit: options.connectionLimit ?? 100 });
  const timer = createTimer(() => churnStep(world));
  return {
    cluster,
    acl,
    operator,
    managementToken,
    journal: raft.journal,
    faults: new Faults({ rules, leadership, raft, acl }),
    connections: server.slots,
    listen: ({ port = 0, host = "127.0.0.1" } = {}) => server.listen(port, host),
    async close() {
      timer.stop();
      closing.abort();
      await server.close();
    },
    churn(steps) {
      for (let step = 0; step < steps; step += 1) churnStep(world);
    },
    start: ({ changesPerSecond }) => timer.start(changesPerSecond),
    stop: () => timer.stop(),
    state: () => trueState(cluster),
    snapshot: () => raft.snapshot(),
    restore: (snapshot, { hidden = false } = {}) => raft.restore(snapshot, () => hidden && burst(cluster)),
    get index() {
      return raft.index;
    },
    get sleepers() {
      return raft.reader.sleepers;
    },
    get subscriptions() {
      return raft.events.subscriptions;
    },
  };
}

function createWorld(raft: Raft, cluster: Cluster, seed: number, options: SimulatorOptions): World {
  const allocations = options.allocations ?? 0;
  const nodes = options.nodes ?? (allocations === 0 ? 0 : Math.max(3, Math.ceil(allocations / 50)));
  const wanted = options.namespaces ?? 1;
  const namespaces = typeof wanted === "number" ? namespaceNames(wanted) : wanted;
  const world: World = {
    cluster,
    random: createRandom(seed + 1),
    agenda: new Agenda(),
    targets: {
      jobs: Math.max(8, Math.ceil(allocations / 8)),
      nodes: Math.max(3, nodes),
      namespaces: namespaces.length + 1,
    },
    purged: [],
    skipEntries: (count) => raft.skip(count),
  };
  populate(world, { allocations, nodes: allocations > 0 ? Math.max(1, nodes) : nodes, namespaces });
  return world;
}

function trueState(cluster: Cluster): TrueState {
  return new Map(
    [...CORE_TYPES, ...PLAIN_TABLES].flatMap((resource) => {
      const rows = [...cluster.state.table(resource).values()];
      const isPlain = !(CORE_TYPES as readonly ResourceType[]).includes(resource);
      if (rows.length === 0 && isPlain) return [];
      return [[resource, new Map(rows.map((row) => [`${row.namespace}/${row.key}`, row.text]))] as const];
    }),
  );
}

/** One write to every list, so that each has an index above any a client has seen. */
function burst(cluster: Cluster): void {
  const { tables } = cluster.state;
  const [job] = tables.jobs.values();
  if (job !== undefined) cluster.touchJob(job.namespace, job.key);
  const [node] = tables.nodes.values();
  if (node !== undefined) cluster.addNodeEvent(node.key);
  const [allocation] = tables.allocations.values();
  if (allocation !== undefined) cluster.setAllocStatus(allocation.key, allocation.stub.ClientStatus);
  const [deployment] = tables.deployments.values();
  if (deployment !== undefined) cluster.updateDeployment(deployment.key, {});
  if (job !== undefined) cluster.createEvaluation(job.namespace, job.key);
  cluster.createNamespace("default", {});
}

/** Calls `step` at a rate, catching up in bunches where timers come late. */
function createTimer(step: () => void) {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    stop,
    start(perSecond: number) {
      stop();
      const startedAt = performance.now();
      let done = 0;
      const tick = (): void => {
        const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
        for (; done < due; done += 1) step();
      };
      timer = setInterval(tick, Math.min(1000, Math.max(10, 1000 / perSecond)));
    },
  };
}
