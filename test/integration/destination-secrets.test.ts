import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { deliveryDetailsSchema } from "../../src/schemas/delivery-schema.ts";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { until } from "../support/until.ts";
import { status, WebhookSink } from "../support/webhook-sink.ts";

const KEY = Buffer.alloc(24, "not for your eyes").toString("base64");
const ENV = {
  HOOK_SECRET: `whsec_${KEY}`,
  HOOK_TOKEN: "Bearer 5f0d0f2c-not-for-your-eyes",
  HOOK_PATH: "xoxb-path-not-for-your-eyes",
};

let place: string;
let simulator: Simulator;
let sink: WebhookSink;
let bridge: BridgeProcess;
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "ncf-secrets-"));
  simulator = createSimulator({ seed: 3, allocations: 10, namespaces: 1 });
  sink = await WebhookSink.start();
  bridge = await startWithHook();
  // So that there is always something left to send, whatever the sink answers.
  simulator.start({ changesPerSecond: 20 });
});
afterEach(async () => {
  await bridge.kill();
  await sink[Symbol.asyncDispose]();
  await simulator.close();
  rmSync(place, { recursive: true });
});

async function startWithHook(): Promise<BridgeProcess> {
  const config = join(place, "feed.yaml");
  writeFileSync(
    config,
    `destinations:
  hook:
    type: webhook
    url: env:HOOK_URL
    headers: { Authorization: env:HOOK_TOKEN }
    secrets: env:HOOK_SECRET
    allowPrivate: true
    from: beginning
    inFlight: 1
    retry: { first: 10ms, most: 20ms }
`,
  );
  return startBridgeProcess({
    nomadAddr: await simulator.listen(),
    feed: `sqlite:${join(place, "feed.db")}`,
    flags: ["--config", config, "--baseline", "events"],
    env: { ...ENV, HOOK_URL: `${sink.url}/${ENV.HOOK_PATH}` },
  });
}

/** Everything that the bridge answers, as text. */
async function shown(): Promise<string> {
  const url = await bridge.url();
  const paths = [
    "metrics",
    "v1/deliveries",
    "v1/deliveries/hook",
    "v1/deliveries/hook/dead-letters",
    "v1/assignments",
  ];
  const answers = await Promise.all(paths.map(async (path) => (await fetch(`${url}/${path}`)).text()));
  const tested = await fetch(`${url}/v1/deliveries/hook/test`, { method: "POST" });
  return [...answers, await tested.text()].join("\n");
}

/** How often the last attempts were answered with this status. */
async function attemptsWith(code: number): Promise<number> {
  const response = await fetch(`${await bridge.url()}/v1/deliveries/hook`).catch(() => undefined);
  if (response?.ok !== true) return 0;
  const { attempts } = deliveryDetailsSchema.parse(await response.json());
  return attempts?.filter(({ status: answered }) => answered === code).length ?? 0;
}

test("secrets of a destination are sent to it, and show in no answer, metric and log line of the bridge", async () => {
  const seen: string[] = [];
  for (const code of [500, 401, 400, 200]) {
    // It repeats what it was sent, as some do.
    sink.answer = (response, request) => status(code, {}, JSON.stringify(request))(response, request);
    await until(`it answered ${code}`, async () => (await attemptsWith(code)) > 0);
    seen.push(await shown());
  }
  await sink.leave();
  await until("it is away", () => bridge.log().includes("ECONNREFUSED"));
  seen.push(await shown(), bridge.log());

  expect(sink.taken[0]).toMatchObject({
    path: `/${ENV.HOOK_PATH}`,
    headers: { authorization: ENV.HOOK_TOKEN, "webhook-signature": expect.stringContaining("v1,") },
  });
  const all = seen.join("\n");
  expect(all).toContain("[hidden]");
  for (const secret of [KEY, ...Object.values(ENV), "5f0d0f2c-not-for-your-eyes"])
    expect(all).not.toContain(secret);
});
