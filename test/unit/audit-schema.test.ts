import { describe, expect, it } from "vitest";
import { auditMarkSchema, detachedDataSchema } from "../../src/schemas/audit.ts";

const GENESIS = {
  type: "changefeed.audit.genesis",
  feed: "nomad://prod/global",
  epoch: "e1",
  firstSeq: 1,
  origin: "example.com/nomad",
  format: 1,
};
const SHA256 = "ab".repeat(32);

describe("entries that are no events", () => {
  it.each([
    GENESIS,
    { type: "changefeed.audit.gap", fromSeq: 7, nextSeq: 9, reason: "expired" },
    { type: "changefeed.audit.epoch", epoch: "e2", nextSeq: 1 },
  ])("say which event is next: $type", (mark) => {
    expect(auditMarkSchema.parse(mark)).toEqual(mark);
  });

  it.each([
    { ...GENESIS, format: 2 },
    { ...GENESIS, firstSeq: -1 },
    { ...GENESIS, epoch: "E 1" },
    { ...GENESIS, type: "nomad.job.registered" },
  ])("are of this format only: %j", (mark) => {
    expect(auditMarkSchema.safeParse(mark).success).toBe(false);
  });
});

it("data beside the tiles is named by its hash, and by nothing that leads elsewhere", () => {
  const detached = { datasha256: SHA256, datasize: 70_000, dataref: `objects/${SHA256}` };
  expect(detachedDataSchema.safeParse({ ...detached, id: "x" }).success).toBe(true);
  for (const dataref of [`objects/../${SHA256}`, `/objects/${SHA256}`, "objects/a", `objects/${SHA256}\n`])
    expect(detachedDataSchema.safeParse({ ...detached, dataref }).success).toBe(false);
});
