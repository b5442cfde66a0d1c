import type { Scope } from "../../schemas/scope.ts";
import { Audience } from "./audience.ts";
import type { HintListener, HintSourceState, HintSubscription } from "./hint.ts";
import { StreamFollower, type HintSourceDeps, type HintSourceOptions } from "./stream-follower.ts";

/** Hints of Nomad's event stream, for whichever scopes of this process want them. */
export class HintSource {
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
  async run(signal: AbortSignal): Promise<void> {
    await this.#follower.run(signal);
  }
}
