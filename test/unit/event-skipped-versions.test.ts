import { describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import type { EventContext, Found, SkippedVersion } from "../../src/events/context.ts";
import { versionsIn } from "../../src/events/spec/versions-in.ts";
import type { Change } from "../../src/schemas/change.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { changeEventSchema, type Actor } from "../../src/schemas/event-schema.ts";
import { nomadJobVersionsSchema } from "../../src/schemas/nomad-job-versions.ts";
import { changeOf, contextOf, SAMPLES } from "../support/event-fixtures.ts";

const SUBMITTED_MS = Date.parse("2026-11-23T12:27:58.072Z");
const actor: Actor = { kind: "token", id: "accessor-b", basis: "job-register" };

/** Versions of a job, oldest first, submitted a second apart: which stop it, and at which index each was written. */
function passed(...versions: readonly { index: number; stop?: boolean; atMs?: number }[]): SkippedVersion[] {
  const listed = versions.map(({ index, stop = false, atMs = SUBMITTED_MS + index }, at) => ({
    Version: at + 3,
    JobModifyIndex: index,
    SubmitTime: atMs * 1e6,
    Stop: stop,
  }));
  const Diffs = listed.slice(1).map(() => ({ Type: "None" }));
  const kept = nomadJobVersionsSchema.parse({ Versions: listed.toReversed(), Diffs });
  const [first, last] = [listed[0], listed.at(-1)];
  const span = { previous: String(first?.JobModifyIndex), current: String(last?.JobModifyIndex) };
  return (versionsIn(kept, span)?.skipped ?? []).map((one) => ({ kept: one, found: { actor } }));
}

const jobAt = (index: number, more: object = {}) => ({
  ...SAMPLES.jobs,
  CreateIndex: 100,
  ModifyIndex: index,
  JobModifyIndex: index,
  ...more,
});

function eventsOf(change: Change, found: Found, context: Partial<EventContext["observation"]> = {}) {
  const observation = { fromIndex: "125", toIndex: "170", ...context };
  const drafts = buildChangeEvents(change, contextOf(observation, { found: new Map([[change, found]]) }));
  return drafts.map((draft, at) => changeEventSchema.parse(JSON.parse(sealDraft(draft, "k3f9x2", at + 1))));
}

const update = () => changeOf("jobs", jobAt(130), jobAt(160));
const skipped = passed({ index: 130 }, { index: 140 }, { index: 150 }, { index: 160 });

describe("versions of a job that no poll saw", () => {
  it("are events of their own, right before the one that shows the newest, and say so", () => {
    const [first, second, last] = eventsOf(update(), { skipped });
    expect(first).toMatchObject({
      id: "0/jobs/default/web@100!v4",
      type: "nomad.job.version",
      subject: "jobs/default/web",
      time: new Date(SUBMITTED_MS + 140).toISOString(),
      severitytext: "INFO",
      data: {
        op: "version",
        aspect: "spec",
        signals: ["job.updated"],
        resource: { type: "jobs", namespace: "default", id: "web" },
        version: 4,
        actor,
        rev: { current: null, previous: null, created: "100" },
        observed: { mode: "live", coalesced: "maybe", skipped: true, timeBasis: "SubmitTime" },
      },
    });
    expect(second?.id).toBe("0/jobs/default/web@100!v5");
    expect(first?.data).not.toHaveProperty("after");
    expect(last).toMatchObject({ id: "0/jobs/default/web@160", type: "nomad.job.updated" });
  });

  it("change nothing about the event of the change itself", () => {
    const [plain] = eventsOf(update(), {});
    const [, , last] = eventsOf(update(), { skipped });
    expect(last?.data).toEqual(plain?.data);
    expect(last?.id).toBe(plain?.id);
  });

  it("have the signals of what each did, and none where the version before is not kept", () => {
    const stops = passed({ index: 130 }, { index: 140, stop: true }, { index: 150 }, { index: 160 });
    const signals = (versions: readonly SkippedVersion[]) =>
      eventsOf(update(), { skipped: versions }).map(({ data }) => data.signals);
    expect(signals(stops)).toEqual([["job.stopped"], ["job.started"], ["job.updated"]]);
    const reverted = passed({ index: 130 }, { index: 140, atMs: SUBMITTED_MS }, { index: 160 });
    expect(signals(reverted)[0]).toEqual(["job.reverted"]);
    const forgotten = stops.map(({ kept, found }) => ({ found, kept: { ...kept, before: undefined } }));
    expect(signals(forgotten)).toEqual([[], [], ["job.updated"]]);
  });

  it("follow the delete of the job that was there before under the same name", () => {
    const change = changeOf("jobs", jobAt(120), jobAt(160, { CreateIndex: 130 }));
    expect(eventsOf(change, { skipped }).map(({ id }) => id)).toEqual([
      "0/jobs/default/web@100!deleted",
      "0/jobs/default/web@130!v4",
      "0/jobs/default/web@130!v5",
      "0/jobs/default/web@160",
    ]);
  });

  it("are not told of a job that merely came to sight, or back with a restore", () => {
    const appeared = changeOf("jobs", undefined, jobAt(160));
    const ids = (context: Partial<EventContext["observation"]>) =>
      eventsOf(appeared, { skipped }, context).map(({ id }) => id);
    expect(ids({ fromIndex: "145" })).toEqual(["0/jobs/default/web@100!v5", "0/jobs/default/web@160"]);
    expect(ids({ fromIndex: "155" })).toHaveLength(1);
    expect(ids({ fromIndex: null, mode: "resync" })).toHaveLength(1);
  });
});
