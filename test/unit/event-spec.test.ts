import { describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { specOf } from "../../src/events/spec/spec-of.ts";
import { versionsIn, type KeptVersion } from "../../src/events/spec/versions-in.ts";
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
const spec = (kept: KeptVersion) => specOf(kept, asIs);
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

describe("what is known of a job's versions", () => {
  const kept = versionsOf([5, 50], [4, 40], [3, 30], [2, 20]);
  const known = (versions: NomadJobVersions, current: string, previous?: string) => {
    const found = versionsIn(versions, { current, previous });
    return found && { current: spec(found.current), skipped: found.skipped.map(spec) };
  };

  it("is what each changed, and which values are left out", () => {
    expect(known(kept, "50", "40")).toEqual({ current: told(5), skipped: [] });
  });

  it("has those that were passed over, oldest first, and not those that came later", () => {
    expect(known(kept, "40", "20")).toEqual({ current: told(4), skipped: [told(3)] });
    expect(known(kept, "50", "20")?.skipped).toEqual([told(3), told(4)]);
  });

  it("has no change of the oldest version that is kept, nor where the one before is not kept", () => {
    expect(known(kept, "20", "10")?.current).toMatchObject({ version: 2, diff: null, redacted: [] });
    expect(known(kept, "30")?.skipped).toMatchObject([{ version: 2, diff: null }]);
    const tagged = versionsOf([9, 90], [1, 10]);
    expect(known(tagged, "90", "80")?.current).toMatchObject({ version: 9, diff: null });
  });

  it("is nothing where Nomad does not keep the version", () => {
    expect(known(kept, "45", "40")).toBeUndefined();
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
    const large = { ...told(1), diff: { changes, omitted: 3 } };
    const { json, data, draft } = eventWith({ spec: large }, 4096);
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(4096);
    const kept = data.spec as typeof large;
    expect(kept.diff.changes.length).toBeGreaterThan(5);
    expect(kept.diff.changes).toEqual(changes.slice(0, kept.diff.changes.length));
    expect(kept.diff.omitted).toBe(103 - kept.diff.changes.length);
    expect(data.changes).toHaveLength(2);
    const whole = JSON.parse(draft.overflow ?? "") as typeof data;
    expect(whole.spec).toEqual(large);
  });

  it("leaves out what the operator says, by path and by pattern", () => {
    const rules = [{ paths: ["/Priority"] }, { patterns: ["^password$"] }];
    const text = new Redaction(rules).eventText(eventWith({ spec: told(2) }).json);
    const { data } = changeEventSchema.parse(JSON.parse(text));
    expect(data.spec).toEqual({
      ...told(2),
      diff: {
        changes: [
          { ...priority(1), old: "[redacted]", new: "[redacted]" },
          { ...HIDDEN, path: "/Meta/[redacted]" },
        ],
        omitted: 0,
      },
      redacted: ["/Meta/[redacted]"],
    });
    expect(data.redacted).toContain("/spec/diff/changes/0/old");
  });

  it("says why there is none", () => {
    const unavailable = { unavailable: "Nomad did not say within 3 s" };
    expect(eventWith({ spec: unavailable }).data.spec).toEqual(unavailable);
  });
});
