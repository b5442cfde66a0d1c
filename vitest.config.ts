import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Only what hangs meets these: a busy machine takes its time to load modules and to build, and that is no failure. */
const PATIENCE = { testTimeout: 300_000, hookTimeout: 300_000 };

const CLIENT = fileURLToPath(new URL("packages/client/src/index.ts", import.meta.url));

const project = (name: string, extra: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], pool: "forks" as const, ...PATIENCE, ...extra },
});

export default defineConfig({
  test: {
    globalSetup: "test/support/no-survivors.ts",
    // Many tests wait for processes and clocks: a machine of two cores has time for two at once.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      // The console's code names the client as others do; it is tested with the one of this checkout.
      project("unit", { alias: { "nomad-changefeed-client": CLIENT } }),
      project("contract"),
      project("property"),
      project("integration"),
      project("redis"),
      // The chaos tests give up by themselves before that, and say what they waited for.
      project("e2e", { maxConcurrency: 2, testTimeout: 800_000 }),
      project("chaos", { testTimeout: 800_000 }),
      project("hostile"),
      project("newcomer", { maxConcurrency: 2, testTimeout: 800_000 }),
      project("nomad"),
      project("console", { globalSetup: "test/support/console/setup.ts" }),
    ],
  },
});
