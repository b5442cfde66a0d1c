import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";

const warnings: Error[] = [];
const onWarning = (warning: Error) => void warnings.push(warning);
beforeEach(() => void process.on("warning", onWarning));
afterEach(() => void process.off("warning", onWarning));

it("takes what is due already for due now, and Node has nothing to warn of", async () => {
  await systemClock.sleep(-3.2);
  await new Promise<void>((resolve) => {
    systemClock.after(-3.2, resolve);
  });
  await systemClock.yield();
  expect(warnings).toEqual([]);
});
