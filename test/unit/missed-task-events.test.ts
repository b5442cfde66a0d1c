import { describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import { changeEventSchema } from "../../src/schemas/event-schema.ts";
import { changeOf, contextOf, SAMPLES } from "../support/event-fixtures.ts";

const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => ({
    Type: from + at === 1 ? "Received" : "Restarting",
    Time: 1_787_393_720_000_000_000 + (from + at) * 1_000_000_000,
  }));
const allocation = (from: number, to: number) => ({
  ...SAMPLES.allocations,
  ModifyIndex: to,
  TaskStates: { main: { Events: events(from, to) }, side: { Events: events(1, 3) } },
});

function missed(before: object | undefined, after: object | undefined): string[] | undefined {
  const [draft] = buildChangeEvents(changeOf("allocations", before, after), contextOf());
  const event = changeEventSchema.parse(JSON.parse(sealDraft(draft as EventDraft, "k3f9x2", 1)));
  return event.data.observed.missedTaskEvents;
}

describe("task events beyond the ten that Nomad keeps", () => {
  it("are told as missed where the newest known one is gone", () => {
    expect(missed(allocation(1, 5), allocation(6, 15))).toEqual(["main"]);
    expect(missed(allocation(1, 10), allocation(20, 29))).toEqual(["main"]);
  });

  it("are not where it is still there, or fewer than ten are", () => {
    expect(missed(allocation(1, 5), allocation(5, 14))).toBeUndefined();
    expect(missed(allocation(1, 5), allocation(1, 9))).toBeUndefined();
    expect(missed(allocation(1, 10), allocation(1, 10))).toBeUndefined();
  });

  it("are where an allocation is first seen with more behind it", () => {
    expect(missed(undefined, allocation(4, 13))).toEqual(["main"]);
    expect(missed(undefined, allocation(1, 10))).toBeUndefined();
  });
});
