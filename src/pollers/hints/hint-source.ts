import type { Scope } from "../../schemas/scope.ts";
import type { Ending } from "../../coordination/coordination.ts";
import { aborted } from "../../shared/aborted.ts";
import { Audience } from "./audience.ts";
import type { HintListener, HintSourceState, HintSubscription } from "./hint.ts";
import type { Hints } from "./hinted-reading.ts";
import { StreamFollower, type HintSourceDeps, type HintSourceOptions } from "./stream-follower.ts";

/** Where hints come from. One process of those that share a feed follows the event stream, and all hear it. */
export interface HintProvider extends Hints {
  /** Of what this process follows; off where another one does. */
  readonly state: HintSourceState;
  /** Follows the stream until the signal aborts, or another process does it. */
  run(signal: AbortSignal): Promise<Ending>;
  /** Hears the process that follows the stream, where it is another one; resolves when the signal aborts. */
  listen(signal: AbortSignal): Promise<void>;
  /** Other scopes may be planned. */
  replanned(): void;
}

/** Hints of Nomad's event stream, for whichever scopes of this process want them, which is alone. */
export class HintSource implements HintProvider {
  readonly #audience: Audience;
  readonly #follower: StreamFollower;

  constructor(deps: HintSourceDeps, options: HintSourceOptions = {}) {
    const audience = new Audience(deps.metrics, () => this.#follower.demandChanged());
    this.#audience = audience;
    this.#follower = new StreamFollower(deps, options, { scopes: () => audience.scopes, listener: audience });
  }

  get state(): HintSourceState {
    return this.#follower.state;
  }

  /** Tells the listener of what changes in the scope, as soon as that is heard, until it is ended. */
  want(scope: Scope, listener: HintListener): HintSubscription {
    return this.#audience.want(scope, listener);
  }

  /** There may be namespaces that were not there when the stream of all began: it is begun anew, without a gap. */
  renew(): void {
    this.#follower.renew();
  }

  /** Follows for as long as hints are wanted; resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<Ending> {
    await this.#follower.run(signal);
    return "stopped";
  }

  /** There is nobody else. */
  listen(signal: AbortSignal): Promise<void> {
    return aborted(signal);
  }

  /** It follows what is wanted, whatever is planned. */
  replanned(): void {}
}
