import { expect, it } from "vitest";
import { JobVersions, type Asker, type JobVersionsDeps } from "../../src/reads/job-versions/job-versions.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { nomadJobVersionsSchema, type NomadJobVersionsAnswer } from "../../src/schemas/nomad-job-versions.ts";
import { TestClock } from "../support/test-clock.ts";

const WEB = { namespace: "default", job: "web" };
const SOME: NomadJobVersionsAnswer = {
  kind: "some",
  found: nomadJobVersionsSchema.parse({ Versions: [{ Version: 3 }], Diffs: null }),
};

function versions(deps: Partial<JobVersionsDeps> = {}) {
  const clock = new TestClock();
  const asked: Asker[] = [];
  const reader = new JobVersions({
    ask: async ({ as }) => {
      asked.push(as);
      return SOME;
    },
    knows: async () => true,
    redact: (_namespace, texts) => texts,
    maxBytes: 8 * 2 ** 20,
    clock,
    ...deps,
  });
  return { reader, asked, clock };
}

it("asks Nomad once for all who ask at the same time, and again after 5 s", async () => {
  const { reader, asked, clock } = versions();
  await Promise.all([reader.read(WEB, "feed"), reader.read(WEB, "feed")]);
  await reader.read(WEB, "feed");
  expect(asked.length).toBe(1);
  await clock.advance(5001);
  await reader.read(WEB, "feed");
  expect(asked.length).toBe(2);
});

it("gives no token what another was answered", async () => {
  const { reader, asked } = versions();
  const askers: Asker[] = ["feed", { token: "one" }, { token: "two" }, { token: undefined }];
  for (const as of askers) await reader.read(WEB, as);
  expect(asked).toEqual(askers);
});

it("asks in the feed's own name for jobs of the feed only, and for no id that is a path", async () => {
  const { reader, asked } = versions({ knows: async ({ job }) => job !== "web" });
  await expect(reader.read(WEB, "feed")).rejects.toMatchObject({ code: "NO_JOB" });
  for (const job of ["../acl", "a/../b", "a//b", ".", "a b", ""]) {
    await expect(reader.read({ ...WEB, job }, { token: "t" })).rejects.toMatchObject({ code: "NO_JOB" });
  }
  expect(asked).toEqual([]);
  await reader.read({ ...WEB, job: "batch/dispatch-1-2" }, "feed");
  expect(asked).toEqual(["feed"]);
});

it("asks the log no more often than Nomad: once for all, and so many times a second", async () => {
  const known: string[] = [];
  const { reader, asked, clock } = versions({
    knows: async ({ job }) => {
      known.push(job);
      return job === "web";
    },
  });
  const ask = (job: string) => reader.read({ ...WEB, job }, "feed").catch((error: unknown) => error);
  await Promise.all([ask("web"), ask("web"), ask("none"), ask("none")]);
  expect(await ask("none")).toMatchObject({ code: "NO_JOB" });
  expect([known, asked]).toEqual([["web", "none"], ["feed"]]);
  for (let at = 0; at < 28; at += 1) await ask(`none-${at}`);
  expect(await ask("one-more")).toMatchObject({ code: "LIMIT" });
  await clock.advance(5001);
  expect(await ask("none")).toMatchObject({ code: "NO_JOB" });
  expect(known.filter((job) => job === "none")).toHaveLength(2);
});

it("cuts a long value after it was redacted, and no character in two", async () => {
  const secret = `${"x".repeat(995)}SECRET-123`;
  const emoji = `${"a".repeat(999)}\u{1F600}${"b".repeat(4000)}`;
  const field = (Name: string, New: string) => ({ Name, New, Old: "", Type: "Added" });
  const diff = {
    Fields: [field("Region", secret), field("Smile", emoji)],
    ID: "web",
    Objects: null,
    TaskGroups: null,
    Type: "Edited",
  };
  const found = nomadJobVersionsSchema.parse({ Versions: [{ Version: 3 }], Diffs: [diff] });
  const redact: JobVersionsDeps["redact"] = (_namespace, texts) =>
    JSON.parse(JSON.stringify(texts).replace(/"[^"]*SECRET-123"/, '"[redacted]"')) as typeof texts;
  const { reader } = versions({ ask: async () => ({ kind: "some", found }), redact });
  const [version] = (await reader.read(WEB, "feed")).versions;
  expect(version?.diff?.changes).toEqual([
    { path: "/Region", kind: "added", new: "[redacted]" },
    { path: "/Smile", kind: "added", new: `${"a".repeat(999)}\uFFFD…` },
  ]);
});

it("has so many questions a second, and says when to come again", async () => {
  const { reader, clock } = versions();
  const ask = (from: number, count: number) =>
    Promise.allSettled(
      Array.from({ length: count }, (_, at) => reader.read({ ...WEB, job: `j${from + at}` }, "feed")),
    );
  const all = await ask(0, 31);
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(30);
  expect(all.at(-1)).toMatchObject({ reason: { code: "LIMIT", retryAfterSeconds: 1 } });
  await clock.advance(1000);
  expect((await ask(100, 10)).every(({ status }) => status === "fulfilled")).toBe(true);
});

it("answers what Nomad does not by what everybody may read of it", async () => {
  const address = "http://10.0.0.1:4646";
  const unreachable = new NomadError("NOMAD_UNREACHABLE", `GET at ${address} failed`, {
    retryable: true,
    hint: "",
  });
  const { reader } = versions({ ask: () => Promise.reject(unreachable) });
  const refusal = await reader.read(WEB, "feed").catch((error: unknown) => error);
  expect(refusal).toMatchObject({
    code: "UPSTREAM_UNAVAILABLE",
    message: "Nomad cannot be reached",
    retryable: true,
  });
  expect(String(refusal)).not.toContain(address);
  const large = versions({ ask: async () => ({ kind: "too-large" }) });
  await expect(large.reader.read(WEB, "feed")).rejects.toMatchObject({
    code: "ANSWER_TOO_LARGE",
    message: "Nomad's answer is larger than the 8 MiB that are read of it",
  });
});
