/**
 * One performance claim. A bench file exports an array of them by default, and does nothing when it is imported:
 * all work, and all memory, begins in `run`. Give several rows one `run` with `once` where they come out of the
 * same measurement.
 */
export interface BenchRow {
  /** Kebab-case; `--only` selects by how it begins. */
  readonly name: string;
  readonly unit: string;
  /**
   * "at least 30" and "at most 1.6" speak of the value. With × they speak of the value and what it was measured
   * against: "at least 0.2 × bare inserts" is value / against, "at least 30 × faster than a scan" against / value.
   */
  readonly goal: string;
  /** What the value was measured against, in words. */
  readonly against: string;
  readonly run: () => Promise<Measured>;
}

export type Measured = number | { readonly value: number; readonly against: number };

export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
  readonly against: string;
  /** What was measured of the other side, in the same unit, where it was. */
  readonly againstValue?: number;
  readonly met: boolean;
}

export async function runRow({ run, ...row }: BenchRow): Promise<BenchResult> {
  const measured = await run();
  const sides =
    typeof measured === "number"
      ? { value: measured }
      : { value: measured.value, againstValue: measured.against };
  return { ...row, ...sides, met: isMet(row.goal, measured) };
}

/** @throws Error where the goal is not worded as `BenchRow` says, or the measurement lacks what it speaks of. */
export function isMet(goal: string, measured: Measured): boolean {
  const words = /^at (least|most) (\d+(?:\.\d+)?)( × (faster)?)?/.exec(goal);
  if (words === null)
    throw new Error(`the goal "${goal}" begins neither with "at least" nor "at most" and a number`);
  const [, direction, bound, times, faster] = words;
  const reached = times === undefined ? valueOf(measured) : ratioOf(goal, measured, faster !== undefined);
  return direction === "least" ? reached >= Number(bound) : reached <= Number(bound);
}

function valueOf(measured: Measured): number {
  return typeof measured === "number" ? measured : measured.value;
}

function ratioOf(goal: string, measured: Measured, faster: boolean): number {
  if (typeof measured === "number") throw new Error(`the goal "${goal}" needs both sides measured`);
  return faster ? measured.against / measured.value : measured.value / measured.against;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
}

/**
 * Runs two pieces of work in turns, the one that goes first changing every time, and gives the median of a's time
 * over b's: what disturbs the machine for longer than a turn disturbs both. Rounds that only warm up go before.
 */
export async function medianTimeRatio(
  a: () => unknown,
  b: () => unknown,
  { rounds, warmUps = 1 }: { readonly rounds: number; readonly warmUps?: number },
): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < warmUps + rounds; round++) {
    const [first, second] = round % 2 === 0 ? [a, b] : [b, a];
    const firstMs = await timeMs(first);
    const secondMs = await timeMs(second);
    if (round >= warmUps) ratios.push(first === a ? firstMs / secondMs : secondMs / firstMs);
  }
  return median(ratios);
}

/** Duration of one call, ms. */
async function timeMs(work: () => unknown): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** Calls `make` when first asked and gives everybody its one result. */
export function once<Result>(make: () => Result): () => Result {
  let made: { readonly result: Result } | undefined;
  return () => (made ??= { result: make() }).result;
}
