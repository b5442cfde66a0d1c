import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { ChangeEvent } from "../../src/schemas/event-schema.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { startBridge } from "./started-bridge.ts";

/** A real Nomad that asks for tokens, and a bridge that watches it. */
export interface WatchedAgent extends AsyncDisposable {
  /** What the feed has told so far of these kinds, as far as the filter holds of it, oldest first. */
  told(types: string, filter: string): Promise<ChangeEvent["data"][]>;
}

/** Resolves when every scope has its baseline. The agent is stopped with it. */
export async function watchAgent(
  agent: { readonly address: string; readonly token: string; stop(): Promise<void> },
  flags: Readonly<Record<string, string>>,
): Promise<WatchedAgent> {
  const folder = await mkdtemp(join(tmpdir(), "ncf-agent-"));
  const given = {
    nomadAddr: agent.address,
    nomadToken: agent.token,
    feed: `sqlite:${join(folder, "feed.db")}`,
    listen: "127.0.0.1:0",
    ...flags,
  };
  const bridge = await startBridge(resolveConfig({ flags: given, env: {} }).config, {
    logger: silentLogger(),
  });
  await bridge.ready();
  return {
    told: async (types, filter) => {
      const query = new URLSearchParams({ cursor: "earliest", types, filter });
      const response = await fetch(`${bridge.url}/v1/events?${query.toString()}`);
      const events = (await response.json()) as Partial<ChangeEvent>[];
      return events.flatMap(({ data }) => (data?.signals === undefined ? [] : [data]));
    },
    [Symbol.asyncDispose]: async () => {
      await bridge.stop();
      await agent.stop();
      await rm(folder, { recursive: true });
    },
  };
}
