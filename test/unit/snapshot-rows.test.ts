import { expect, it } from "vitest";
import { Element } from "../../src/snapshots/element-scan.ts";
import { Rows } from "../../src/snapshots/rows.ts";

/** What is found by one lane alone is found once in four thousand million times: no test of texts can tell. */
it("takes an element for the same only where both checksums are", () => {
  const rows = new Rows(1);
  const element = (low: number, high: number) =>
    Object.assign(new Element(Buffer.from("{}")), { checksumLow: low, checksumHigh: high });
  rows.add(element(1, 2));
  expect(rows.isAlike(0, element(1, 2))).toBe(true);
  expect(rows.isAlike(0, element(1, 3))).toBe(false);
  expect(rows.isAlike(0, element(3, 2))).toBe(false);
});
