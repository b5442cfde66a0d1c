import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ListResponse } from "../../src/nomad/api.ts";
import { createNomadClient, type NomadClient } from "../../src/nomad/client.ts";
import { resolveNomadOptions } from "../../src/nomad/options.ts";
import { parseFrame, type StreamFrame } from "../../src/pollers/hints/frame.ts";
import { updatedAllocation } from "../../src/pollers/hints/updated-allocation.ts";
import type { Hint } from "../../src/pollers/hints/hint.ts";
import { equalJson, parseExact, stringField, type JsonObject } from "../../src/schemas/json.ts";
import { indexesOf, subjectOf, type ResourceType } from "../../src/schemas/resources.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { failureOf } from "../support/nomad-clients.ts";
import { findGuardedNomadAgent, findNomadAgent } from "../support/nomad-agent.ts";
import { NomadWriter } from "../support/nomad-writer.ts";
import { until } from "../support/until.ts";

const found = await findNomadAgent(process.env);
const guarded = await findGuardedNomadAgent(process.env);
const origin = typeof found === "string" ? `skipped: ${found}` : found.origin;

const TOPICS = ["Job", "Allocation", "Evaluation", "Deployment", "Node"];
const tag = `ncf-${process.pid}-stream`;

function clientOf(address: string, token = ""): NomadClient {
  const options = resolveNomadOptions({ addresses: [address], token });
  return createNomadClient(options, { logger: silentLogger(), clock: systemClock });
}

/** The frames of a subscription, as they come. */
async function subscribe(nomad: NomadClient, index?: bigint) {
  const frames: StreamFrame[] = [];
  const stop = new AbortController();
  const stream = await nomad.events({
    topics: TOPICS,
    namespace: "*",
    ...(index !== undefined && { index: String(index) }),
    signal: stop.signal,
  });
  const reading = (async () => {
    for await (const line of stream.lines()) {
      const frame = Buffer.isBuffer(line) ? parseFrame(line) : undefined;
      if (frame === undefined) throw new Error("a line that is no frame");
      frames.push(frame);
    }
  })();
  reading.catch(() => undefined);
  const end = async () => {
    stop.abort();
    await stream[Symbol.asyncDispose]();
  };
  return { frames, end };
}

function stubsOf({ body }: ListResponse): JsonObject[] {
  return parseExact(body.toString()) as JsonObject[];
}

describe.skipIf(typeof found === "string")(`the event stream of a real Nomad agent (${origin})`, () => {
  let nomad: NomadClient;
  let writer: NomadWriter;
  let whole: Awaited<ReturnType<typeof subscribe>>;
  const signal = () => AbortSignal.timeout(120_000);

  const list = (resource: ResourceType) => nomad.list({ resource, namespace: "default", signal: signal() });
  const register = (id: string, count: number, command = "exec sleep 3600") =>
    writer.registerJob({ id: `${tag}-${id}`, namespace: "default", count, command });
  const hintsAt = (index: string | undefined): Hint[] =>
    whole.frames.filter((frame) => String(frame.index) === index).flatMap(({ hints }) => [...hints]);
  const subjectsAt = (index: string | undefined): string[] => hintsAt(index).map(subjectOf);
  /** No frame came for as long as a subscription may take to repeat one. */
  const untilQuiet = () =>
    until("no more frames", async () => {
      const before = whole.frames.length;
      await systemClock.sleep(2_000);
      return whole.frames.length === before;
    });

  beforeAll(async () => {
    if (typeof found === "string") return;
    nomad = clientOf(found.address);
    writer = new NomadWriter(found.address);
    whole = await subscribe(nomad);
  });

  afterAll(async () => {
    if (typeof found === "string") return;
    await whole.end();
    for (const id of ["web", "fails", "many", "told", "dies"])
      await writer.stopJob(`${tag}-${id}`, "default", { purge: true });
    await nomad[Symbol.asyncDispose]();
    await found.stop();
  });

  it("names with an allocation or evaluation every change of a job's summary, and every one of a job", async () => {
    const versions: {
      id: string | undefined;
      own: string | undefined;
      summary: string | undefined;
      table: string;
    }[] = [];
    const stop = new AbortController();
    const polling = (async () => {
      for (let index = "1"; !stop.signal.aborted;) {
        const request = { resource: "jobs", namespace: "default", index, signal: stop.signal } as const;
        const answer = await nomad.list(request);
        for (const stub of stubsOf(answer)) {
          const { ModifyIndex: own, "JobSummary.ModifyIndex": summary } = indexesOf(stub);
          versions.push({ id: stringField(stub, "ID"), own, summary, table: answer.index });
        }
        index = answer.index;
      }
    })().catch(() => undefined);
    await register("web", 2);
    await register("fails", 1, "exit 1");
    await until("allocations run", async () => (await writer.runningAllocations("default")).length >= 2);
    await untilQuiet();
    stop.abort();
    await polling;
    const mine = versions.filter(({ id }) => id?.startsWith(tag));
    expect(new Set(mine.map(({ summary }) => summary)).size).toBeGreaterThan(1);
    const unnamed = mine
      .flatMap(({ id, own, summary }) => [own, summary].map((index) => ({ id, index })))
      .filter(({ id, index }) => !subjectsAt(index).includes(`jobs/default/${id}`));
    expect(unnamed).toEqual([]);
    const summaries = mine.filter(({ own, summary }) => own !== summary).map(({ summary }) => summary);
    const causes = summaries.flatMap((index) => hintsAt(index).map(({ cause }) => cause));
    expect(causes.some((cause) => cause === "Allocation" || cause === "Evaluation")).toBe(true);
    const explained = whole.frames.filter((frame) => frame.explained.has("jobs"));
    const indexes = new Set(explained.map(({ index }) => String(index)));
    expect(mine.filter(({ table }) => !indexes.has(table))).toEqual([]);
  });

  it.each(["deployments", "evaluations"] as const)("has %s as the list has them", async (resource) => {
    await until(
      "both agree",
      async () => {
        const stubs = stubsOf(await list(resource));
        const named = new Map(
          whole.frames.flatMap(({ hints }) => hints.map((hint) => [subjectOf(hint), hint])),
        );
        const differing = stubs.filter((stub) => {
          const payload = named.get(`${resource}/default/${stringField(stub, "ID")}`)?.payload;
          return payload === undefined || !equalJson(parseExact(payload.toString()), stub);
        });
        return stubs.length > 0 && differing.length === 0;
      },
      30_000,
    );
  });

  it("has of an allocation that its client wrote all that makes the list's stub of an older one", async () => {
    const versions = new Map<string, Map<string, JsonObject>>();
    const stop = new AbortController();
    const polling = (async () => {
      for (let index = "1"; !stop.signal.aborted;) {
        const answer = await nomad.list({
          resource: "allocations",
          namespace: "default",
          index,
          signal: stop.signal,
        });
        for (const stub of stubsOf(answer)) {
          const id = stringField(stub, "ID") ?? "";
          const own = versions.get(id) ?? new Map<string, JsonObject>();
          versions.set(id, own.set(indexesOf(stub).ModifyIndex ?? "", stub));
        }
        index = answer.index;
      }
    })().catch(() => undefined);
    await register("told", 3);
    await register("dies", 2, "sleep 1; exit 1");
    await until("they run", async () => (await writer.runningAllocations("default")).length >= 5);
    // Another version of the job, to which those that run are changed in place.
    await register("told", 4);
    await until("the next one runs", async () => (await writer.runningAllocations("default")).length >= 6);
    // Those that die may have died meanwhile.
    for (const id of await writer.runningAllocations("default"))
      await writer.restartAllocation(id, "default").catch(() => undefined);
    // And one for which they are not.
    await register("told", 4, "exec sleep 3601");
    await writer.stopJob(`${tag}-dies`, "default", { purge: false });
    await untilQuiet();
    stop.abort();
    await polling;
    const made: { readonly made: JsonObject; readonly listed: JsonObject }[] = [];
    let updates = 0;
    for (const { key, index, update } of whole.frames.flatMap(({ hints }) => hints)) {
      const own = versions.get(key);
      const listed = own?.get(String(index));
      if (update === undefined || listed === undefined) continue;
      updates += 1;
      for (const [at, older] of own ?? []) {
        const stub = BigInt(at) < index ? updatedAllocation(older, update) : undefined;
        if (stub !== undefined) made.push({ made: parseExact(stub.toString()) as JsonObject, listed });
      }
    }
    process.stdout.write(`allocations: ${updates} by clients, ${made.length} made of older stubs\n`);
    const versionsOf = (stubs: Iterable<JsonObject>) =>
      new Set([...stubs].map(({ JobVersion }) => JobVersion));
    expect([...versions.values()].some((own) => versionsOf(own.values()).size > 1)).toBe(true);
    expect(made.length).toBeGreaterThan(5);
    expect(made.filter((each) => !equalJson(each.made, each.listed))).toEqual([]);
  });

  it("repeats the last frame first, at once, where it is asked for from it on", async () => {
    await untilQuiet();
    const last = whole.frames.at(-1) as StreamFrame;
    const again = await subscribe(nomad, last.index);
    const subscribedMs = performance.now();
    const first = await until("a frame", () => again.frames[0]);
    expect(performance.now() - subscribedMs).toBeLessThan(1_000);
    const sameIndex = whole.frames.filter(({ index }) => index === last.index);
    expect(first).toMatchObject({ index: last.index, identity: sameIndex[0]?.identity });
    await again.end();
  });

  it("begins with a later frame where more than its buffer holds came since", async () => {
    const last = whole.frames.at(-1) as StreamFrame;
    const before = whole.frames.length;
    for (let round = 0; whole.frames.length < before + 101; round += 1)
      await register("many", 0, `echo ${round}`);
    const again = await subscribe(nomad, last.index);
    const first = await until("a frame", () => again.frames[0]);
    expect(first.index).toBeGreaterThan(last.index);
    await again.end();
  });

  it("says of a job that is purged that it is gone, and of its allocations nothing; of one that is stopped, not", async () => {
    const stopped = whole.frames.length;
    await writer.stopJob(`${tag}-fails`, "default", { purge: false });
    const stop = await until("the stop", () =>
      frameNaming(whole.frames.slice(stopped), `jobs/default/${tag}-fails`),
    );
    expect(stop.hints.filter(({ gone }) => gone)).toEqual([]);
    const ids = stubsOf(await list("allocations")).filter((stub) => stub["JobID"] === `${tag}-web`);
    expect(ids).toHaveLength(2);
    await untilQuiet();
    const purged = whole.frames.length;
    await writer.stopJob(`${tag}-web`, "default", { purge: true });
    const purge = await until("the purge", () =>
      frameNaming(whole.frames.slice(purged), `jobs/default/${tag}-web`),
    );
    expect(purge.hints.find(({ gone }) => gone)).toMatchObject({ resource: "jobs", key: `${tag}-web` });
    expect(purge.hints.filter(({ resource }) => resource === "allocations")).toEqual([]);
    expect(purge.explained).toEqual(new Set(["jobs"]));
    const left = await list("allocations");
    expect(stubsOf(left).filter((stub) => stub["JobID"] === `${tag}-web`)).toEqual([]);
    expect(BigInt(left.index)).toBeGreaterThanOrEqual(purge.index);
  });
});

function frameNaming(frames: readonly StreamFrame[], subject: string): StreamFrame | undefined {
  return frames.find(({ hints }) => hints.some((hint) => subjectOf(hint) === subject));
}

describe.skipIf(typeof guarded === "string")("the event stream of a real Nomad agent with ACLs", () => {
  afterAll(async () => {
    if (typeof guarded !== "string") await guarded.stop();
  });

  it("is refused to who may not hear it, and given to who may", async () => {
    if (typeof guarded === "string") return;
    const request = { topics: TOPICS, namespace: "*", signal: AbortSignal.timeout(60_000) };
    await using nobody = clientOf(guarded.address);
    const refusal = await failureOf(nobody.events(request));
    expect(["NOMAD_STREAM_DENIED", "NOMAD_FORBIDDEN"]).toContain(refusal.code);
    expect(refusal.retryable).toBe(false);
    await using manager = clientOf(guarded.address, guarded.token);
    await (await manager.events(request))[Symbol.asyncDispose]();
  });
});
