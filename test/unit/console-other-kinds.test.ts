import { expect, it } from "vitest";
import { labelOf, saidIn } from "../../console/src/words/kinds.ts";
import { nounOf } from "../../console/src/words/names.ts";

it.each([
  ["jobs", "job"],
  ["acl-policies", "ACL policy"],
  ["csi-volumes", "CSI volume"],
  ["node-pools", "node pool"],
  ["autopilot", "autopilot"],
  ["feed", "feed"],
])("one of %s is called %s", (resource, noun) => {
  expect(nounOf(resource)).toBe(noun);
});

it("a kind without a table of its own shows what its objects say in words and numbers", () => {
  expect(labelOf("host-volume-claims")).toBe("Host volume claims");
  const stub = { Name: "gpu", Description: "with a GPU", Meta: { a: "b" }, Empty: "", CreateIndex: 5 };
  expect(saidIn(stub)).toBe("Name gpu · Description with a GPU");
});
