import { defineConfig } from "vitest/config";

const project = (name: string, extra: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], pool: "forks" as const, ...extra },
});

export default defineConfig({
  test: {
    projects: [
      project("unit"),
      project("contract"),
      project("property", { testTimeout: 60_000 }),
      project("integration", { testTimeout: 30_000, hookTimeout: 30_000 }),
      project("redis", { testTimeout: 60_000, hookTimeout: 60_000 }),
      project("e2e", { testTimeout: 120_000, hookTimeout: 60_000, maxConcurrency: 2 }),
      project("hostile", { testTimeout: 60_000, hookTimeout: 60_000 }),
      project("nomad", { testTimeout: 300_000, hookTimeout: 300_000 }),
    ],
  },
});
