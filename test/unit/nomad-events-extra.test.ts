import { describe, expect, it } from "vitest";
import { wantsExtra } from "../../src/http/nomad-events/extra-choice.ts";
import { extraEventOf, frameText, type ExtraEvent } from "../../src/publishers/nomad-events/extra-events.ts";
import { SplitFrame } from "../../src/publishers/nomad-events/split-frame.ts";
import type { LogEntry, Op } from "../../src/schemas/draft.ts";
import { objectOf, parseExact } from "../../src/schemas/json.ts";

const entry = (resource: string, op: Op, namespace: string, key: string) =>
  ({ resource, op, namespace, key }) as LogEntry;
const extra = (...given: [...Parameters<typeof entry>, stub: string]): ExtraEvent | undefined => {
  const [resource, op, namespace, key, stub] = given;
  return extraEventOf(entry(resource, op, namespace, key), objectOf(parseExact(stub)));
};

describe("an event that Nomad never sends", () => {
  it("has the form of Nomad's, a type of its own, and the stub to the last digit", () => {
    const stub = '{"ID":"a1","JobID":"web","CreateTime":1795434687866379238}';
    expect(extra("allocations", "delete", "prod", "a1", stub)?.textAt(7)).toBe(
      '{"FilterKeys":["web"],"Index":7,"Key":"a1","Namespace":"prod","Payload":{"Deleted":true,"Stub":true,' +
        `"Allocation":${stub}},"Topic":"Allocation","Type":"AllocationRemoved"}`,
    );
  });

  it.each<[string, Op, string]>([
    ["evaluations", "delete", "EvaluationRemoved"],
    ["deployments", "delete", "DeploymentRemoved"],
    ["nodes", "delete", "NodeRemoved"],
    ["namespaces", "create", "NamespaceAdded"],
    ["namespaces", "update", "NamespaceChanged"],
    ["namespaces", "delete", "NamespaceRemoved"],
  ])("of %s, %s is %s", (resource, op, type) => {
    expect(JSON.parse(extra(resource, op, "-", "k", "{}")?.textAt(1) ?? "")).toMatchObject({ Type: type });
  });

  it.each<[string, Op]>([
    ["jobs", "delete"],
    ["allocations", "update"],
    ["namespaces", "snapshot"],
    ["csi-volumes", "delete"],
  ])("is not made of what Nomad tells itself, nor of what was only seen first: %s, %s", (resource, op) => {
    expect(extra(resource, op, "default", "k", "{}")).toBeUndefined();
  });

  it("is chosen as Nomad's are: a namespace stands in itself, a node in none", () => {
    const events = [
      extra("namespaces", "create", "-", "prod", "{}"),
      extra("nodes", "delete", "-", "n1", "{}"),
      extra("evaluations", "delete", "prod", "e1", '{"JobID":"web","DeploymentID":"d1"}'),
    ].filter((event) => event !== undefined);
    const line = Buffer.from(frameText(events, 9));
    const { heads } = new SplitFrame({ sequence: 1, index: 9, isExtra: true, line });
    expect(heads).toEqual([
      { topic: "Namespace", key: "prod", namespace: "prod", filterKeys: [] },
      { topic: "Node", key: "n1", namespace: "", filterKeys: [] },
      { topic: "Evaluation", key: "e1", namespace: "prod", filterKeys: ["web", "d1"] },
    ]);
  });
});

describe("who gets what Nomad never sends", () => {
  it.each([
    ["off", "extra=true", false],
    ["off", "extra=nonsense", false],
    ["asked", "", false],
    ["asked", "extra=true", true],
    ["all", "", true],
    ["all", "extra=false", false],
    ["all", "extra=1", 'Invalid extra "1": allowed are true and false'],
  ] as const)("%s, %s", (mode, query, wanted) => {
    expect(wantsExtra(new URLSearchParams(query), mode)).toBe(wanted);
  });
});
