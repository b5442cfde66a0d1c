import { expect, it } from "vitest";
import { buildControlEvent, type ControlEvent } from "../../src/events/control.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { outgoingOf, outgoingOfLetter } from "../../src/publishers/delivery/outgoing.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import { RESOURCE_TYPES } from "../../src/schemas/resources.ts";
import { changeOf, contextOf, SAMPLES } from "../support/event-fixtures.ts";

const EPOCH = "k3f9x2";
const scope = { resource: "jobs", namespace: "prod" } as const;
const control = (event: ControlEvent): EventDraft =>
  buildControlEvent(event, {
    source: "nomad://prod/global",
    nomadEpoch: 1,
    observedAt: "2026-08-22T10:15:30.412Z",
    discriminator: "17",
  });

it.each<[string, EventDraft]>([
  ["of a scope", control({ kind: "baseline", scope, count: 3, index: "9" })],
  [
    "of all namespaces",
    control({ kind: "scope", scope: { ...scope, namespace: "*" }, state: "stale", reason: "" }),
  ],
  ["of the feed", control({ kind: "scope", scope: null, state: "stale", reason: "" })],
  ...RESOURCE_TYPES.flatMap((resource) =>
    buildChangeEvents(changeOf(resource, undefined, SAMPLES[resource]), contextOf()).map(
      (event): [string, EventDraft] => [resource, event],
    ),
  ),
])("an event that was parked leaves as it would have left before: %s", (_what, draft) => {
  const json = sealDraft(draft, EPOCH, 7);
  const event = outgoingOf({ ...draft, sequence: 7, json }, EPOCH, "full");
  const letter = {
    cursor: { epoch: EPOCH, sequence: 7 },
    id: draft.id,
    json,
    reason: "",
    attempts: 1,
    parkedAt: "",
  };
  expect(outgoingOfLetter(letter)).toEqual(event);
});
