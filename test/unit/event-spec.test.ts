import { describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { specOf } from "../../src/events/spec/spec-of.ts";
import { Redaction } from "../../src/publishers/redaction/redaction.ts";
import { sealDraft } from "../../src/schemas/draft.ts";
import { changeEventSchema, type Enrichment } from "../../src/schemas/event-schema.ts";
import { nomadJobVersionsSchema, type NomadJobVersions } from "../../src/schemas/nomad-job-versions.ts";
import { changeOf, contextOf, SAMPLES } from "../support/event-fixtures.ts";

/** Versions of a job, newest first, with the index of each; each changed the priority, and a password. */
function versionsOf(...versions: readonly (readonly [version: number, index: number])[]): NomadJobVersions {
  const field = (Name: string, Old: string, New: string) => ({ Type: "Edited", Name, Old, New });
  return nomadJobVersionsSchema.parse({
    Versions: versions.map(([Version, JobModifyIndex]) => ({
      Version,
      JobModifyIndex,
      SubmitTime: 1_795_436_878_072_000_000,
    })),
    Diffs: versions.slice(1).map(([version]) => ({
      Type: "Edited",
      Fields: [
        field("Priority", String(version), String(version + 1)),
        field("Meta[password]", "hunter1", "hunter2"),
      ],
    })),
  });
}

const asIs = <Texts extends object>(texts: Texts): Texts => texts;
const priority = (version: number) => ({
  path: "/Priority",
  kind: "edited" as const,
  old: String(version - 1),
  new: String(version),
});
const HIDDEN = { path: "/Meta/password", kind: "edited" as const, old: "[redacted]", new: "[redacted]" };
const told = (version: number) => ({
  version,
  submittedAt: "2026-11-23T12:27:58.072Z",
  diff: { changes: [priority(version), HIDDEN], omitted: 0 },
  redacted: ["/Meta/password"],
});

describe("what an event says of a job's specification", () => {
  const versions = versionsOf([5, 50], [4, 40], [3, 30], [2, 20]);

  it("is what its version changed, and which values are left out", () => {
    expect(specOf(versions, { current: "50", previous: "40" }, asIs)).toEqual(told(5));
  });

  it("names the versions that have no event, not those that came later", () => {
    expect(specOf(versions, { current: "40", previous: "20" }, asIs)).toEqual({
      ...told(4),
      skipped: [told(3)],
    });
  });

  it("says of the oldest version that is kept no change, and none where the one before is not kept", () => {
    const oldest = specOf(versions, { current: "20", previous: "10" }, asIs);
    expect(oldest).toMatchObject({ version: 2, diff: null, redacted: [] });
    const tagged = versionsOf([9, 90], [1, 10]);
    expect(specOf(tagged, { current: "90", previous: "80" }, asIs)).toMatchObject({ version: 9, diff: null });
  });

  it("is nothing where Nomad does not keep the version", () => {
    expect(specOf(versions, { current: "45", previous: "40" }, asIs)).toBeUndefined();
  });
});

function eventWith(found: Enrichment, maxEventBytes = 65_536) {
  const change = changeOf("jobs", SAMPLES.jobs, { ...SAMPLES.jobs, ModifyIndex: 111, JobModifyIndex: 111 });
  const [draft] = buildChangeEvents(
    change,
    contextOf({}, { found: new Map([[change, found]]), maxEventBytes }),
  );
  if (draft === undefined) throw new Error("no event");
  const json = sealDraft(draft, "k3f9x2", 9);
  return { draft, json, data: changeEventSchema.parse(JSON.parse(json)).data };
}

describe("an event with a specification", () => {
  it("that is too large keeps of it what has room, and counts the others", () => {
    const changes = Array.from({ length: 100 }, (_, at) => ({
      ...priority(1),
      path: `/TaskGroups/g${at}/Count`,
    }));
    const spec = { ...told(1), diff: { changes, omitted: 3 } };
    const { json, data, draft } = eventWith({ spec: { ...spec, skipped: [spec] } }, 4096);
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(4096);
    const kept = data.spec as typeof spec & { skipped: [typeof spec] };
    expect(kept.diff.changes.length).toBeGreaterThan(5);
    expect(kept.diff.changes).toEqual(changes.slice(0, kept.diff.changes.length));
    expect(kept.diff.omitted).toBe(103 - kept.diff.changes.length);
    expect(kept.skipped[0].diff).toEqual({ changes: [], omitted: 103 });
    expect(data.changes).toHaveLength(2);
    const whole = JSON.parse(draft.overflow ?? "") as typeof data;
    expect(whole.spec).toEqual({ ...spec, skipped: [spec] });
  });

  it("leaves out what the operator says, in all its versions, by path and by pattern", () => {
    const spec = { ...told(2), skipped: [told(1)] };
    const rules = [{ paths: ["/Priority"] }, { patterns: ["^password$"] }];
    const text = new Redaction(rules).eventText(eventWith({ spec }).json);
    const { data } = changeEventSchema.parse(JSON.parse(text));
    const without = (version: number) => ({
      ...told(version),
      diff: {
        changes: [
          { ...priority(1), old: "[redacted]", new: "[redacted]" },
          { ...HIDDEN, path: "/Meta/[redacted]" },
        ],
        omitted: 0,
      },
      redacted: ["/Meta/[redacted]"],
    });
    expect(data.spec).toEqual({ ...without(2), skipped: [without(1)] });
    expect(data.redacted).toContain("/spec/skipped/0/diff/changes/0/old");
  });

  it("says why there is none", () => {
    const unavailable = { unavailable: "Nomad did not say within 3 s" };
    expect(eventWith({ spec: unavailable }).data.spec).toEqual(unavailable);
  });
});
