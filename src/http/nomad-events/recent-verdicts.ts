import type { Clock } from "../../shared/clock.ts";
import type { Caller, Verdict } from "./caller.ts";

type Allowed = Extract<Verdict, { kind: "allowed" }>;

/** How long somebody who might have the stream may have it while Nomad cannot be asked. */
const HOLDS_MS = 10 * 60_000;
const MAX_KEPT = 10_000;

/** Who was allowed the stream a short time ago: while Nomad is away, they get it still. */
export class RecentVerdicts {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #kept = new Map<
    string,
    { readonly verdict: Allowed; readonly caller: Caller; readonly atMs: number }
  >();

  constructor(clock: Pick<Clock, "elapsed">) {
    this.#clock = clock;
  }

  note(caller: Caller, verdict: Verdict): void {
    this.#kept.delete(caller.fingerprint);
    if (verdict.kind !== "allowed") return;
    this.#kept.set(caller.fingerprint, { verdict, caller, atMs: this.#clock.elapsed() });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  of(caller: Caller): Allowed | undefined {
    const found = this.#kept.get(caller.fingerprint);
    if (found === undefined || this.#clock.elapsed() - found.atMs > HOLDS_MS) return undefined;
    caller.takeNamespacesOf(found.caller);
    return found.verdict;
  }
}
