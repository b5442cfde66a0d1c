import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Destination } from "../../src/publishers/delivery/destination.ts";
import { parseDuration } from "../../src/shared/duration.ts";
import { DeliveryRig } from "../support/delivery-rig.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/deliveries.md"), "utf8");
/** `| 3       | 5 s           | 10 s               |`: attempt, its wait, all waits up to it. */
const ROW = /^\| (\d+) .*?\| ([\d. dhmins]+?) +\| ([\d. dhmins]+?) +\|$/gm;

it("the schedule of the page is that of a delivery whose destination is away, with all the luck against it", async () => {
  const rows = [...PAGE.matchAll(ROW)].map(([, attempt, wait, whole]) => [
    Number(attempt),
    ms(wait),
    ms(whole),
  ]);
  await using rig = await DeliveryRig.open({ random: () => 1 });
  const sentAtMs: number[] = [];
  const away: Destination = {
    target: "away",
    send: async () => {
      sentAtMs.push(rig.clock.elapsed());
      return { outcome: "retry", reason: "away" };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  await rig.commit("a:1");
  const running = await rig.begin(away, { retry: { firstMs: 5000, mostMs: 3_600_000 } });
  while (sentAtMs.length <= rows.length) await rig.clock.advance(5000);
  await running.stop();
  const first = sentAtMs[0] ?? 0;
  const waits = sentAtMs
    .slice(1)
    .map((atMs, position) => [position + 2, atMs - (sentAtMs[position] ?? 0), atMs - first]);
  expect(rows.length).toBeGreaterThan(10);
  expect(waits.slice(0, rows.length)).toEqual(rows);
});

function ms(text = ""): number {
  return parseDuration(text.replaceAll("min", "m").replaceAll(" ", "")) ?? Number.NaN;
}
