import { expect, it } from "vitest";
import { namesOf, pointerOf, pointerTo } from "../../src/shared/json-pointer.ts";

it.each([
  ["", []],
  ["/", [""]],
  ["/Meta/a~1b", ["Meta", "a/b"]],
  ["/~01/~1~0", ["~1", "/~"]],
])("the pointer %j leads along %j, and back", (pointer, names) => {
  expect(namesOf(pointer)).toEqual(names);
  expect(pointerOf(names)).toBe(pointer);
});

it("a pointer is led on to a member", () => {
  expect(pointerTo("/Meta", "~/x")).toBe("/Meta/~0~1x");
});
