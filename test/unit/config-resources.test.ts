import { describe, expect, it } from "vitest";
import { resourceList } from "../../src/config/resource-list.ts";
import { CORE_TYPES, RESOURCE_TYPES } from "../../src/schemas/resources.ts";

const { schema, nearest } = resourceList();
const read = (given: string | readonly string[]) => schema.safeParse(given).data;

describe("--resources", () => {
  it.each([
    ["core", CORE_TYPES],
    ["all", RESOURCE_TYPES],
    [
      "acl, jobs",
      ["jobs", "acl-policies", "acl-roles", "acl-tokens", "acl-auth-methods", "acl-binding-rules"],
    ],
    [
      ["volumes", "csi-volumes"],
      ["csi-volumes", "csi-plugins", "host-volumes", "host-volume-claims"],
    ],
  ])("takes %s", (given, types) => {
    expect(read(given)).toEqual(types);
  });

  it.each([
    ["core,volume", "; did you mean volumes?"],
    ["node-pool", "; did you mean node-pools?"],
    ["acl-token,jobs", "; did you mean acl-tokens?"],
    ["xyzzy", ""],
  ])("refuses %s, and names the nearest", (given, hint) => {
    expect(read(given)).toBeUndefined();
    expect(nearest?.(given)).toBe(hint);
  });
});
