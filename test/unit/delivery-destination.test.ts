import { expect, it } from "vitest";
import type { Outgoing, SendResult } from "../../src/publishers/delivery/destination.ts";
import { deliveryDetailsSchema } from "../../src/schemas/delivery-schema.ts";
import { draft } from "../support/drafts.ts";
import { ScriptedDestination } from "../support/scripted-destination.ts";

it("a scripted destination takes what its answer does not name", async () => {
  const batch = ["a", "b", "c"].map(outgoing);
  const destination = new ScriptedDestination();
  const answers: SendResult[] = [
    { outcome: "retry", reason: "busy", which: [1] },
    { outcome: "refused", why: "poison", reason: "400", which: [0] },
    { outcome: "retry", reason: "away" },
    { outcome: "ok" },
  ];
  for (const answer of answers) {
    destination.answer = () => answer;
    await destination.send(batch, new AbortController().signal);
  }
  expect(destination.taken).toEqual(["a", "c", "b", "c", "a", "b", "c"]);
});

it("what /v1/deliveries tells of one has its last attempts", () => {
  const time = "2026-11-29T01:00:00.000Z";
  const attempt = { at: time, ms: 12, events: 1, firstId: "a", outcome: "refused", why: "forbidden" };
  const quantiles = { p50: 1, p99: 2.5 };
  const details = {
    name: "ops",
    kind: "events",
    type: "webhook",
    target: "https://hooks.example",
    state: "circuit-open",
    reason: "401",
    since: time,
    worker: "host/1/a",
    cursor: "abc-1",
    recordedAt: time,
    lagEvents: 3,
    lagMs: 9000,
    waiting: null,
    messages: null,
    deadLetters: 0,
    attempts: [{ ...attempt, reason: "401", status: 401, request: "POST /", answer: "no" }],
    outcomes: { delivered: 1, parked: 0, passedOver: 0, retried: 0 },
    latency: { recordedToPicked: quantiles, pickedToSent: quantiles, sentToAnswered: quantiles },
  };
  expect(deliveryDetailsSchema.parse(details)).toEqual(details);
});

function outgoing(id: string): Outgoing {
  return { ...draft({ id }), sequence: 1, cursor: "abc-1", subject: `allocations/default/${id}`, json: "{}" };
}
