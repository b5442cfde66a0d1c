import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startBridge, type StartedBridge } from "../support/started-bridge.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { sendList, sendText } from "../support/nomad-servers.ts";
import { freePort } from "../support/redis-server.ts";
import { until } from "../support/until.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

let directory: string;
let stop: AbortController;
let nomad: Server | undefined;
let starting: Promise<StartedBridge> | undefined;

async function answerAt(
  port: number,
  answer: (path: string, response: ServerResponse) => void,
): Promise<void> {
  nomad = createServer((request, response) => answer(request.url ?? "", response));
  nomad.listen(port, "127.0.0.1");
  await once(nomad, "listening");
}

function start(nomadPort: number, port: number, flags: Readonly<Record<string, string>> = {}) {
  const { logger, lines } = recordingLogger();
  const { config } = resolveConfig({
    flags: {
      nomadAddr: `http://127.0.0.1:${nomadPort}`,
      feed: `sqlite:${join(directory, "feed.db")}`,
      listen: `127.0.0.1:${port}`,
      resources: "jobs",
      namespaces: "default",
      ...flags,
    },
    env: {},
  });
  starting = startBridge(config, { logger, signal: stop.signal });
  starting.catch(() => undefined);
  return { url: `http://127.0.0.1:${port}`, lines, bridge: starting };
}

const ask = async (url: string) => {
  const response = await fetch(url).catch(() => undefined);
  return response && { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ncf-start-"));
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort(new Error("end of test"));
  await (await starting?.catch(() => undefined))?.stop();
  nomad?.closeAllConnections();
  nomad?.close();
  await rm(directory, { recursive: true, force: true });
});

describe("a bridge with a new log", () => {
  it("listens while Nomad is away, alive and not ready, and begins where a gateway lets one list through", async () => {
    const [nomadPort, port] = [await freePort(), await freePort()];
    const { url, bridge, lines } = start(nomadPort, port);
    await until("it listens", async () => (await ask(`${url}/healthz`))?.status === 200);
    expect(await ask(`${url}/readyz`)).toEqual({
      status: 503,
      body: { ready: false, why: "Nomad does not answer yet" },
    });
    const notOpen = { status: 503, body: { code: "LOG_UNAVAILABLE" } };
    expect(await ask(`${url}/v1/events`)).toMatchObject(notOpen);
    await expect(WebSocketClient.connect(`${url}/v1/events`)).rejects.toMatchObject(notOpen);
    const asEventSource = await fetch(`${url}/v1/events`, { headers: { accept: "text/event-stream" } });
    expect(asEventSource.status).toBe(200);
    expect(await asEventSource.text()).toMatch(
      /^retry: 5000\nevent: nomad\.feed\.error\n.*"LOG_UNAVAILABLE"/,
    );

    const refused: string[] = [];
    let mayList = false;
    await answerAt(nomadPort, (path, response) => {
      if (mayList && path.startsWith("/v1/jobs?")) sendList(response, "[]");
      else {
        refused.push(path);
        sendText(response, 403, "this path is not open");
      }
    });
    const started = await bridge;
    const waiting = await until("the reason", async () => {
      const answer = await ask(`${url}/readyz`);
      return JSON.stringify(answer?.body["waiting"] ?? "").includes("NOMAD_FORBIDDEN") && answer;
    });
    expect(waiting.status).toBe(503);
    mayList = true;
    await started.ready();
    expect(await ask(`${url}/readyz`)).toEqual({ status: 200, body: { ready: true } });
    expect(refused.toSorted()).toEqual(expect.arrayContaining(["/v1/agent/self", "/v1/status/leader"]));
    expect(lines.join("\n")).toContain('assuming "global"');
  });

  it("is not made where the port is taken", async () => {
    const port = await freePort();
    await answerAt(port, (_path, response) => sendText(response, 200, "somebody else"));
    const { bridge } = start(await freePort(), port);
    await expect(bridge).rejects.toMatchObject({ code: "LISTEN_FAILED" });
  });
});
