import { describe, expect, test } from "vitest";
import { buildControlEvent, type ControlEvent } from "../../src/events/control.ts";
import { controlEventSchema } from "../../src/schemas/control-schema.ts";
import { sealDraft } from "../../src/schemas/draft.ts";

const scope = { resource: "allocations", namespace: "default" } as const;
const context = {
  source: "nomad://prod/global",
  nomadEpoch: 1,
  observedAt: "2026-08-22T10:15:30.412Z",
  discriminator: "17",
};
const sealed = (event: ControlEvent) =>
  controlEventSchema.parse(JSON.parse(sealDraft(buildControlEvent(event, context), "k3f9x2", 8)));

describe("a control event", () => {
  const stale = { kind: "scope", scope, state: "stale", reason: "Nomad does not answer" } as const;

  test.each<[ControlEvent, object]>([
    [
      { kind: "baseline", scope, count: 12, index: "884213" },
      {
        type: "nomad.feed.baseline",
        severitytext: "INFO",
        id: "1/feed/allocations/default/baseline@17",
        data: { scope, count: 12, index: "884213" },
      },
    ],
    [
      { kind: "resync", scope, phase: "begin", reason: "restored" },
      { type: "nomad.feed.resync", severitytext: "WARN", id: "1/feed/allocations/default/resync.begin@17" },
    ],
    [
      { kind: "resync", scope, phase: "end", reason: "restored" },
      { type: "nomad.feed.resync", severitytext: "INFO", id: "1/feed/allocations/default/resync.end@17" },
    ],
    [
      { ...stale, since: "2026-08-22T10:00:00.000Z" },
      {
        severitytext: "WARN",
        data: { scope, state: "stale", reason: stale.reason, since: "2026-08-22T10:00:00.000Z" },
      },
    ],
    [
      { ...stale, state: "recovered" },
      { severitytext: "INFO", data: { state: "recovered" } },
    ],
    [
      { ...stale, state: "access-lost" },
      { severitytext: "ERROR", subject: "feed/allocations/default" },
    ],
    [{ ...stale, state: "access-restored" }, { severitytext: "INFO" }],
    [
      { ...stale, scope: null },
      { severitytext: "WARN", subject: "feed", id: "1/feed/scope.stale@17", data: { scope: null } },
    ],
    [
      { kind: "epoch", previous: "aaaaaa", current: "bbbbbb", reason: "the log lost its tail" },
      {
        type: "nomad.feed.epoch",
        severitytext: "ERROR",
        subject: "feed",
        id: "1/feed/epoch@17",
        data: { previous: "aaaaaa", current: "bbbbbb" },
      },
    ],
  ])("%#: is a CloudEvent of its schema", (event, expected) => {
    expect(sealed(event)).toMatchObject(expected);
  });

  test("is found under its scope, and is about no object", () => {
    expect(
      buildControlEvent({ ...stale, scope: { resource: "jobs", namespace: "*" } }, context),
    ).toMatchObject({
      resource: "jobs",
      namespace: "*",
      key: null,
      op: null,
      aspect: null,
      signals: [],
    });
  });

  test("differs in id by occurrence and by what happened", () => {
    const ids = ["17", "18"].flatMap((discriminator) =>
      (["stale", "recovered"] as const).map(
        (state) => buildControlEvent({ ...stale, state }, { ...context, discriminator }).id,
      ),
    );
    expect(new Set(ids).size).toBe(4);
  });
});
