import { join } from "node:path";
import { FILTER_LANGUAGE } from "../../src/commands/support/filter-language.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { startBridge } from "./started-bridge.ts";
import { until } from "./until.ts";

/** A bridge that stands in for Nomad's event stream. */
export interface StandIn {
  /** Where Nomad's clients connect. */
  readonly address: string;
  /** Of its feed. */
  readonly url: string;
  /** Resolves when its feed has read everything. */
  ready(): Promise<void>;
  /** How many frames it has recorded since it was started. */
  recorded(): Promise<number>;
  stop(): Promise<boolean>;
}

/** Its files are in `folder`, and stay there. Resolves when it records. */
export async function startStandIn({
  nomadAddr,
  folder,
  flags = {},
}: {
  nomadAddr: string;
  folder: string;
  flags?: Record<string, string>;
}): Promise<StandIn> {
  const { config } = resolveConfig({
    flags: {
      nomadAddr,
      feed: `sqlite:${join(folder, "feed.db")}`,
      listen: "127.0.0.1:0",
      compat: "nomad-events",
      compatListen: "127.0.0.1:0",
      compatLog: join(folder, "frames.db"),
      ...flags,
    },
    env: {},
    language: FILTER_LANGUAGE,
  });
  const bridge = await startBridge(config, { logger: silentLogger() });
  const metric = async (name: string) => {
    const text = await (await fetch(`${bridge.url}/metrics`)).text();
    return Number(new RegExp(`nomad_changefeed_compat_${name} (\\d+)`).exec(text)?.[1]);
  };
  await until("frames are recorded", async () => (await metric("recording")) === 1);
  return {
    address: bridge.nomadEventsUrl ?? "",
    url: bridge.url,
    ready: () => bridge.ready(),
    recorded: () => metric("frames_total"),
    stop: () => bridge.stop(),
  };
}
