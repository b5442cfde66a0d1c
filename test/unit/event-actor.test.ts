import { describe, expect, it } from "vitest";
import { actorIn, actorOf } from "../../src/events/actor.ts";
import type { Change, Stub } from "../../src/schemas/change.ts";
import type { JsonObject } from "../../src/schemas/json.ts";

const TOKEN = "3d8b1a3e-0000-4000-8000-000000000001";
const stub = (value: JsonObject): Stub => ({ bytes: Buffer.from(JSON.stringify(value)), value });
const node = (drain: JsonObject | null): Stub => stub({ ID: "n1", LastDrain: drain });
const drain = (fields: Record<string, string>) => ({
  StartedAt: "1",
  UpdatedAt: "1",
  Status: "draining",
  ...fields,
});
const update = (before: Stub, after: Stub, resource: "nodes" | "jobs" = "nodes"): Change => ({
  op: "update",
  ref: { resource, namespace: "-", key: "n1" },
  before,
  after,
});
const by = (id: string, kind = "token") => ({ kind, id, basis: "drain" });

describe("who drains a node", () => {
  const begun = node(drain({ AccessorID: `token:${TOKEN}` }));
  it.each([
    ["began it", update(node(null), begun), by(TOKEN)],
    ["began it on Nomad before 1.5", update(node(null), node(drain({ AccessorID: TOKEN }))), by(TOKEN)],
    [
      "canceled it, another",
      update(begun, node(drain({ AccessorID: "token:b", UpdatedAt: "2", Status: "canceled" }))),
      by("b"),
    ],
    ["is a task", update(node(null), node(drain({ AccessorID: "alloc:a1" }))), by("a1", "alloc")],
  ])("is known where somebody %s", (_name, change, actor) => {
    expect(actorIn(change)).toEqual(actor);
  });

  it.each([
    [
      "it is over by itself",
      update(begun, node(drain({ AccessorID: `token:${TOKEN}`, UpdatedAt: "2", Status: "complete" }))),
    ],
    ["something else changed", update(begun, begun)],
    ["ACLs are off", update(node(null), node(drain({ AccessorID: "token:acls-disabled" })))],
    ["Nomad names nobody", update(node(null), node(drain({ AccessorID: "" })))],
    ["it is no node", update(node(null), begun, "jobs")],
  ])("is not said where %s", (_name, change) => {
    expect(actorIn(change)).toBeUndefined();
  });

  it("is nobody where Nomad asked for nothing", () => {
    expect(actorOf("anonymous", "drain")).toBeUndefined();
    expect(actorOf(undefined, "job-register")).toBeUndefined();
  });
});
