import { expect, test } from "vitest";
import { Regions } from "../../src/bridge/regions.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { depsOf } from "../../src/bridge/overrides.ts";
import { TestClock } from "../support/test-clock.ts";

const GONE_AFTER_MS = 600_000;

function follower() {
  const clock = new TestClock();
  const { config } = resolveConfig({ flags: { regions: "all" }, env: {} });
  const regions = new Regions(
    { config, goneAfterMs: GONE_AFTER_MS },
    depsOf({ logger: silentLogger(), clock }),
  );
  const told: string[] = [];
  const set = {
    begin: ({ name }: { name: string }) => void told.push(`begin ${name}`),
    end: (name: string) => void told.push(`end ${name}`),
  };
  const follow = (...listed: string[]) => {
    regions.follow(listed, set);
    return told.splice(0);
  };
  return { clock, follow, unanswered: () => regions.unanswered() };
}

test("a region is gone once Nomad has not listed it for so long, and begins when it is back", () => {
  const { clock, follow } = follower();
  expect(follow("eu", "us")).toEqual(["begin eu", "begin us"]);
  expect(follow("eu")).toEqual([]);
  clock.pass(GONE_AFTER_MS - 1);
  expect(follow("eu")).toEqual([]);
  clock.pass(1);
  expect(follow("eu")).toEqual(["end us"]);
  expect(follow("eu", "us")).toEqual(["begin us"]);
});

test("a region that was listed meanwhile has the whole time again", () => {
  const { clock, follow } = follower();
  follow("eu", "us");
  follow("eu");
  clock.pass(GONE_AFTER_MS - 1);
  expect(follow("eu", "us")).toEqual([]);
  clock.pass(GONE_AFTER_MS - 1);
  expect(follow("eu")).toEqual([]);
});

test("a Nomad that did not answer for long, and does not know its neighbours yet, ends no feed", () => {
  const { clock, follow } = follower();
  follow("eu", "us");
  clock.pass(2 * GONE_AFTER_MS);
  expect(follow("eu")).toEqual([]);
  expect(follow("eu", "us")).toEqual([]);
});

test("a region that was missing before Nomad did not answer has the whole time again", () => {
  const { clock, follow, unanswered } = follower();
  follow("eu", "us");
  follow("eu");
  clock.pass(GONE_AFTER_MS);
  unanswered();
  expect(follow("eu")).toEqual([]);
  clock.pass(GONE_AFTER_MS - 1);
  expect(follow("eu")).toEqual([]);
  clock.pass(1);
  expect(follow("eu")).toEqual(["end us"]);
});
