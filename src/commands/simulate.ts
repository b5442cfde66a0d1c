import { CORE_TYPES } from "../schemas/resources.ts";
import { createSimulator, parseFaults, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import type { Io } from "./io.ts";
import { aborted } from "../shared/aborted.ts";

/** What the `simulate` command may be told; every field has a default but `listen`. */
export interface SimulateOptions {
  /** `host:port`, port 0 for any free one. */
  readonly listen: string;
  readonly seed: number;
  /** Allocations at the start, 1 to 100,000. */
  readonly allocations: number;
  readonly changesPerSecond: number;
  /** `reset:0.01,429:0.01`: fault kinds and their probability per request. */
  readonly faults?: string;
  /** Enforces ACLs; the management token is printed. */
  readonly acl?: boolean;
}

/** @internal */
export class InvalidSimulateOption extends ChangefeedError {
  readonly code = "SIMULATE_INVALID_OPTION";
}

/**
 * Runs a simulated Nomad API until `io.signal` aborts. Prints where it listens, then what it simulates.
 * @throws InvalidSimulateOption, InvalidFault
 */
export async function simulate(options: SimulateOptions, io: Pick<Io, "stdout" | "signal">): Promise<void> {
  const { host, port } = parseListen(options.listen);
  checkNumbers(options);
  const rules = parseFaults(options.faults ?? "");
  const simulator = createSimulator({
    seed: options.seed,
    allocations: options.allocations,
    namespaces: 4,
    acl: options.acl ?? false,
    // So that the log of a real cluster is never continued with this one, nor the other way round.
    region: "simulated",
  });
  for (const rule of rules) simulator.faults.add(rule);
  try {
    const url = await simulator.listen({ host, port });
    io.stdout.write(`Simulated Nomad listens on ${url}\n`);
    io.stdout.write(`${summaryOf(simulator, options)}\n`);
    simulator.start({ changesPerSecond: options.changesPerSecond });
    await aborted(io.signal);
  } finally {
    await simulator.close();
  }
}

function parseListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new InvalidSimulateOption(`listen: "${listen}" is not an address`, {
      hint: "Write host:port, as in 127.0.0.1:4646; port 0 takes any free one.",
    });
  }
  return { host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

function checkNumbers(options: SimulateOptions): void {
  const bounds = {
    seed: [0, 2 ** 32 - 1],
    allocations: [0, 100_000],
    changesPerSecond: [0, 10_000],
  } as const;
  for (const [name, [low, high]] of Object.entries(bounds)) {
    const value = options[name as keyof typeof bounds];
    if (value >= low && value <= high && (name === "changesPerSecond" || Number.isInteger(value))) continue;
    throw new InvalidSimulateOption(`${name}: ${value} is out of range`, {
      hint: `Use a number from ${low} to ${high}.`,
    });
  }
}

function summaryOf(simulator: Simulator, options: SimulateOptions): string {
  const counts = CORE_TYPES.map((resource) => `${simulator.cluster.state.table(resource).size} ${resource}`);
  const parts = [`seed ${options.seed}`, ...counts, `${options.changesPerSecond} changes/s`];
  if (options.faults !== undefined && options.faults !== "") parts.push(`faults ${options.faults}`);
  if (simulator.managementToken !== undefined) parts.push(`token ${simulator.managementToken.secretId}`);
  return parts.join(", ");
}
