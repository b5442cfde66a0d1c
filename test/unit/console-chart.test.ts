import { describe, expect, it } from "vitest";
import { stacked } from "../../console/src/ui/chart/stack.ts";

describe("stacked bars", () => {
  it("stand on one another, the first part at the bottom, and are answered from the top down", () => {
    expect(stacked([[25, 75]], 2)).toEqual([[96], [24]]);
  });

  it("are as high as their share of the highest bar, and nothing where there is nothing", () => {
    expect(
      stacked(
        [
          [0, 100],
          [50, 0],
          [0, 0],
        ],
        2,
      ),
    ).toEqual([
      [96, null, null],
      [null, 48, null],
    ]);
  });

  it("show one of a thousand, and never leave the chart for it", () => {
    const [whole, , one] = stacked([[1, 1, 9998]], 3).map(([top]) => top ?? 0);
    expect(one).toBe(2.5);
    expect(whole).toBeLessThanOrEqual(100);
  });
});
