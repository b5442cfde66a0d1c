import { expect, it } from "vitest";
import type { DeliveryDetails } from "../../src/schemas/delivery-schema.ts";
import { widthOf } from "../../src/commands/support/fit-line.ts";
import { runCli } from "../support/cli.ts";
import { TestFeed } from "../support/http-feed.ts";
import { ATTEMPT, DELIVERY, LETTER, ScriptedDeliveries } from "../support/scripted-deliveries.ts";

const OPEN: DeliveryDetails = {
  ...DELIVERY,
  name: "queue",
  type: "kafka",
  target: "kafka.example:9092/events-of-the-whole-cluster-in-production",
  state: "circuit-open",
  reason: "the broker at kafka.example:9092 refuses the credentials; \u001b[31m look at its log",
  since: "2026-08-22T10:00:00.000Z",
  lagEvents: null,
};

/** Runs `deliveries …` against a feed with these, on a terminal of 80 columns where it says so. */
async function run(deliveries: ScriptedDeliveries, args: readonly string[], isTTY = false) {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve({}, { deliveries, assignments: deliveries.assignments });
  const terminal = isTTY ? { isTTY, columns: () => 80 } : {};
  return await runCli(["deliveries", ...args, "--url", url], terminal);
}

it("deliveries lists all with state, lag and dead letters, and exits with 1 where one does not deliver", async () => {
  const { code, stdout } = await run(new ScriptedDeliveries([DELIVERY, OPEN]), []);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^NAME +STATE +LAG +WAITING +DEAD +TYPE +TARGET\n/);
  expect(stdout).toMatch(/^hook +delivering +1\.5s +3 +1 +webhook +https:\/\/hooks\.example$/m);
  expect(stdout).toMatch(
    /^queue +circuit-open +1\.5s +- +1 +kafka +kafka\.example:9092\S+\n {2}the broker at/m,
  );
  expect(stdout).not.toContain("\u001b");
  const paused = new ScriptedDeliveries([{ ...DELIVERY, state: "paused", reason: "they move" }]);
  expect(await run(paused, ["list"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("they move"),
  });
  expect((await run(new ScriptedDeliveries(), [])).stdout).toBe("no destination is configured\n");
});

it("deliveries keeps to a terminal of 80 columns, in colours", async () => {
  const scripted = new ScriptedDeliveries([DELIVERY, OPEN], [LETTER]);
  for (const args of [[], ["show", "queue"], ["dead-letters", "list", "hook"]]) {
    const { stdout } = await run(scripted, args, true);
    expect(stdout).toContain("\u001b[1m");
    // oxlint-disable-next-line no-control-regex -- our own colours
    const lines = stdout.replaceAll(/\u001b\[\d+m/g, "").split("\n");
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
  }
});

it("deliveries show tells of lag, outcomes, times in three parts, and the last attempts", async () => {
  const failed = {
    ...ATTEMPT,
    outcome: "refused" as const,
    why: "poison" as const,
    status: 400,
    reason: "400: no such field",
    answer: null,
  };
  const older = { ...ATTEMPT, firstId: "0/jobs/default/web@9", request: "POST /older" };
  const olderFailed = { ...failed, firstId: "0/jobs/default/web@8", request: "POST /oldest" };
  const delivery = { ...DELIVERY, attempts: [ATTEMPT, older, failed, olderFailed] };
  const { code, stdout } = await run(new ScriptedDeliveries([delivery]), ["show", "hook"]);
  expect(code).toBe(0);
  for (const line of [
    /^sends to +webhook https:\/\/hooks\.example$/m,
    /^lag +3 events, 1\.5s$/m,
    /^outcomes +11 delivered, 1 parked, 0 passed over, 2 sent once more$/m,
    /^commit → picked +1\.3 +4\.0$/m,
    /^picked → sent +0\.5 +2\.0$/m,
    /^sent → answered +30\.0 +80\.0$/m,
    /^2026-08-22T10:16:30Z {2}refused \(poison\) {2}400 {2}35 ms {2}1 event {2}0\/jobs\/default\/web@12\n {2}400: no such field\n {2}request:\n {4}POST \/hook HTTP\/1\.1$/m,
    /^2026-08-22T10:16:30Z {2}ok {2}200 {2}35 ms {2}1 event {2}0\/jobs\/default\/web@9$/m,
    /^2026\S+Z {2}refused .* 0\/jobs\/default\/web@8 {2}400: no such field$/m,
    /^ {2}answer:\n {4}thanks$/m,
  ]) {
    expect(stdout).toMatch(line);
  }
  expect(stdout).not.toMatch(/POST \/old/);
  const full = await run(new ScriptedDeliveries([delivery]), ["show", "hook", "--full"]);
  expect(full.stdout).toMatch(/POST \/older\n[^]*POST \/oldest\n/);
  const elsewhere = { ...OPEN, attempts: null, outcomes: null, latency: null };
  const told = await run(new ScriptedDeliveries([elsewhere]), ["show", "queue"]);
  expect(told).toMatchObject({ code: 1, stdout: expect.stringContaining("known to its worker alone") });
});

it("deliveries steers, and says how the delivery is then", async () => {
  const scripted = new ScriptedDeliveries([DELIVERY], [LETTER]);
  const ask = async (...args: string[]) => (await run(scripted, args)).stdout;
  expect(await ask("pause", "hook", "--reason", "they move & come back")).toBe("hook is delivering\n");
  await ask("resume", "hook");
  await ask("replay", "hook", "--cursor", "abc123-4");
  expect(await ask("dead-letters", "retry", "hook", "abc123-7", "abc123-9")).toBe("2 retried\n");
  expect(await ask("dead-letters", "drop", "hook", "--all")).toBe("1 dropped\n");
  expect(scripted.asked.map(([what, , given]) => [what, given])).toEqual([
    ["pause", "they move & come back"],
    ["resume", undefined],
    ["replay", { cursor: { epoch: "abc123", sequence: 4 } }],
    ["retry", [7, 9].map((sequence) => ({ epoch: "abc123", sequence }))],
    ["drop", "all"],
  ]);
});

it("deliveries shows dead letters, and one with its event", async () => {
  const scripted = new ScriptedDeliveries([DELIVERY], [LETTER]);
  const all = await run(scripted, ["dead-letters", "list", "hook"]);
  expect(all.stdout).toMatch(
    /^abc123-7 +2026-08-22T10:10:00Z +1 +0\/jobs\/default\/web@7\n {2}400: no such field$/m,
  );
  const one = await run(scripted, ["dead-letters", "show", "hook", "abc123-7"]);
  expect(one.stdout).toContain(`${LETTER.event}\n`);
  const none = await run(scripted, ["dead-letters", "show", "hook", "abc123-8"]);
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("has no dead letter abc123-8") });
});

it("deliveries test prints what was sent and what came back, and exits with 1 where it was not taken", async () => {
  const scripted = new ScriptedDeliveries([DELIVERY]);
  const taken = await run(scripted, ["test", "hook"]);
  expect(taken).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ok {2}200[^]*request:[^]*answer:\n {4}thanks/),
  });
  scripted.attempt = { ...ATTEMPT, outcome: "retry", status: 503, reason: "503 from hooks.example" };
  const refused = await run(scripted, ["test", "hook"]);
  expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("503 from hooks.example") });
});

it("deliveries --json prints what the feed answers", async () => {
  const { stdout } = await run(new ScriptedDeliveries([DELIVERY]), ["show", "hook", "--json"]);
  expect(JSON.parse(stdout)).toEqual(DELIVERY);
});

it("deliveries says what it cannot do, in the feed's own words but for the command that lists them", async () => {
  const scripted = new ScriptedDeliveries([DELIVERY], [LETTER]);
  expect(await run(scripted, ["show", "mail"])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^error: There is no delivery "mail"\nhint: `nomad-changefeed deliveries` lists them/,
    ),
  });
  for (const args of [
    ["replay", "hook"],
    ["replay", "hook", "--since", "1h", "--cursor", "abc123-4"],
    ["dead-letters", "drop", "hook"],
    ["dead-letters", "show", "hook", "seven"],
  ]) {
    expect([args, await run(scripted, args)]).toMatchObject([args, { code: 2, stdout: "" }]);
  }
  const away = await runCli(["deliveries", "--url", "http://127.0.0.1:1"]);
  expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining("does not answer") });
  expect(scripted.asked).toEqual([]);
});
