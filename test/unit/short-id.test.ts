import { expect, it } from "vitest";
import { shortId } from "../../src/shared/short-id.ts";

it("ids are shortened, names are not", () => {
  expect(shortId("5456bd7a-9fc0-c0dd-6131-cbee77f57577")).toBe("5456bd7a");
  expect(shortId("5456bd7a-9fc0-nightly-import")).toBe("5456bd7a-9fc0-nightly-import");
  expect(shortId("")).toBe("");
});
