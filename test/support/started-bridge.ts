import { createBridge, type Serving } from "../../src/bridge/bridge.ts";
import type { BridgeOverrides } from "../../src/bridge/overrides.ts";
import type { Config } from "../../src/config/config.ts";

/** A bridge that serves, until it is stopped. */
export interface StartedBridge extends Serving {
  /** Rejects when the bridge cannot go on; resolves when it was stopped. */
  readonly done: Promise<unknown>;
  /** Answers whether all that was seen is in the log. Safe to call twice. */
  stop(): Promise<boolean>;
}

/** Runs a bridge in this process. `signal` stops it too. */
export async function startBridge(
  config: Config,
  { signal, ...overrides }: BridgeOverrides & { signal?: AbortSignal },
): Promise<StartedBridge> {
  const stop = new AbortController();
  const bridge = createBridge(config, overrides);
  const done = bridge.run(signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]));
  done.catch(() => undefined);
  const serving = await bridge.serving;
  return {
    ...serving,
    done,
    ready: (waiting) =>
      Promise.race([serving.ready(waiting), done.then(() => Promise.reject(new Error("it was stopped")))]),
    stop: () => {
      stop.abort(new Error("the test stops the bridge"));
      return done;
    },
  };
}
