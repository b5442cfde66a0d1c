import { afterAll } from "vitest";
import { findRedis } from "./redis-server.ts";
import { skippedBecause } from "./skipped.ts";

/**
 * The Redis that the tests of one file share, from when the file is loaded until after its last test; `missing` ends
 * the title of those that need one.
 */
export async function sharedRedis(): Promise<{ redisUrl: string | undefined; missing: string }> {
  const found = await findRedis();
  if (typeof found === "string") return { redisUrl: undefined, missing: skippedBecause(found) };
  afterAll(() => found[Symbol.asyncDispose]());
  return { redisUrl: found.url, missing: "" };
}
