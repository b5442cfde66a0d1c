import { createHash } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startBridgeProcess, type BridgeProcess } from "../support/bridge-process.ts";
import { runCli, startCli } from "../support/cli.ts";
import { simulatedNomad, type SimulatedNomad } from "../support/simulated-nomad.ts";
import { until } from "../support/until.ts";
import { UpgradeRefused, WebSocketClient } from "../support/websocket-client.ts";

const STATIC = "e2e-static-token-7f3a9c51d2";
const PLAIN = "e2e-plain-token-0b64c8e7aa";

let directory: string;
let nomad: SimulatedNomad;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-e2e-access-"));
  nomad = await simulatedNomad({ acl: true });
  nomad.simulator.cluster.createNamespace("hidden");
});
afterEach(async () => {
  await nomad[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function start(...flags: string[]): Promise<BridgeProcess> {
  const tokens = join(directory, "tokens.yaml");
  const sha256 = createHash("sha256").update(STATIC).digest("hex");
  await writeFile(
    tokens,
    `tokens:
  - { name: all, sha256: ${sha256}, namespaces: ["*"], resources: ["*"] }
  - { name: jobs, token: ${PLAIN}, namespaces: [default], resources: [jobs] }
`,
  );
  await chmod(tokens, 0o600);
  return startBridgeProcess({
    nomadAddr: nomad.url,
    feed: `sqlite:${join(directory, "feed.db")}`,
    flags: ["--auth", "tokens,nomad", "--auth-tokens-file", tokens, "--open-routes", "readyz", ...flags],
    env: { NOMAD_TOKEN: nomad.simulator.managementToken?.secretId ?? "" },
  });
}

it("run asks who subscribes, by a file and by Nomad, and hides what they may not see", async () => {
  const bridge = await start();
  await bridge.ready();
  const url = await bridge.url();
  const { acl, cluster } = nomad.simulator;
  acl.setPolicy("own", { namespaces: { default: "read" } });
  const { secretId } = acl.createToken({ policies: ["own"] });
  const headers = { authorization: `Bearer ${secretId}` };
  const client = await WebSocketClient.connect(`${url}/v1/events`, [], { headers });
  cluster.runJob({ id: "not-yours", namespace: "hidden" });
  cluster.runJob({ id: "yours", namespace: "default" });
  const events = await client.until(({ text }) => text.includes('"id":"yours"'));
  expect(events.map(({ text }) => text).join("\n")).not.toContain("not-yours");
  expect(events.map(({ text }) => text).join("\n")).not.toContain("hidden");
  await client.close();

  const file = join(directory, "token");
  await writeFile(file, `${STATIC}\n`);
  const tail = startCli(["tail", "--url", url, "--token-file", file, "--cursor", "earliest", "--json"]);
  await until("the hidden job", () => tail.stdout.includes("not-yours"));
  tail.interrupt();
  expect(await tail.done).toBe(0);
  expect((await runCli(["assignments", "--url", url, "--token-file", file])).stdout).toContain("jobs/hidden");
  const refused = await runCli(["tail", "--url", url]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("A token is needed here");
  expect(await bridge.stop()).toBe(0);
});

it("no secret is in any log line, error, close reason or header, whatever is done with it", async () => {
  const bridge = await start();
  await bridge.ready();
  const url = await bridge.url();
  const { acl, faults } = nomad.simulator;
  acl.setPolicy("own", { namespaces: { default: "read" } });
  const { secretId } = acl.createToken({ policies: ["own"] });
  const unknown = "5e9d1c34-aaaa-bbbb-cccc-0123456789ab";
  const jwt = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from("{}").toString("base64url")}.c2lnbmF0dXJl`;
  const said: string[] = [];
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    said.push(JSON.stringify([...response.headers]));
    return { text, status: response.status };
  };
  const secrets = [STATIC, PLAIN, secretId, unknown, jwt];
  for (const secret of secrets) {
    const encoded = Buffer.from(secret).toString("base64url");
    for (const path of [
      `/v1/events?token=${secret}`,
      `/v1/events?access_token=${secret}&types=x`,
      `/nowhere?token=${secret}`,
      `/nowhere?ticket=${secret}`,
      `/v1/events?ticket=${secret}`,
      "/v1/events?types=nothing",
      "/v1/events?cursor=other-1",
      "/metrics",
      "/v1/data/other-1",
    ]) {
      said.push((await ask(path, { headers: { authorization: `Bearer ${secret}` } })).text);
      said.push((await ask(path)).text);
    }
    const own = { authorization: `Bearer ${secret}` };
    for (const options of [{}, { origin: url }, { origin: "http://evil.example" }]) {
      const protocols = [`bearer.${encoded}`, "cloudevents.json"];
      const client = await WebSocketClient.connect(`${url}/v1/events?limit=1`, protocols, options).catch(
        (error: unknown) => error,
      );
      if (client instanceof UpgradeRefused) said.push(client.message);
      if (!(client instanceof WebSocketClient)) continue;
      client.socket.send('{"not":"known"}');
      said.push(...(await client.until(() => false)).map(({ text }) => text));
      said.push(JSON.stringify(await client.closed()), client.socket.protocol);
    }
    const { text, status } = await ask("/v1/tickets", { method: "POST", headers: own });
    if (status !== 200) continue;
    const { ticket } = JSON.parse(text) as { ticket: string };
    secrets.push(ticket);
    said.push((await ask(`/v1/events?ticket=${ticket}`)).text, (await ask(`/?ticket=${ticket}`)).text);
  }
  faults.add({ kind: "500", resource: "acl" });
  said.push((await ask("/", { headers: { authorization: `Bearer ${unknown.replace("5e", "6e")}` } })).text);
  faults.clear();
  faults.revokeToken(secretId);
  expect(await bridge.stop()).toBe(0);

  const everything = [...said, bridge.log()].join("\n");
  expect(said.length).toBeGreaterThan(100);
  expect(bridge.log()).toContain("subscription ended");
  for (const secret of secrets) {
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(Buffer.from(secret).toString("base64url"));
  }
  expect(everything).not.toContain(nomad.simulator.managementToken?.secretId);
});

it("run does not start with a file of tokens that cannot be used, and says why", async () => {
  const file = join(directory, "bad.yaml");
  await writeFile(file, "tokens:\n  - name: a\n    sha256: 12\n    namespaces: [a]\n    resources: [jobs]\n");
  const token = nomad.simulator.managementToken?.secretId ?? "";
  const flags = `--listen 127.0.0.1:0 --auth tokens --auth-tokens-file ${file}`.split(" ");
  const where = ["--nomad-addr", nomad.url, "--nomad-token", token, "--feed", `sqlite:${directory}/feed.db`];
  const { code, stderr } = await runCli(["run", ...where, ...flags]);
  expect(code).toBe(2);
  expect(stderr).toContain(`${file}:3: tokens[0].sha256: must be 64 hexadecimal digits`);
});
