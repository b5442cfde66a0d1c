import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { blockingDeadlineMs } from "../../src/nomad/client.ts";
import { publicReason } from "../../src/schemas/public-text.ts";
import { clientOf, failureOf, jobs, STUBS } from "../support/nomad-clients.ts";
import { TestClock } from "../support/test-clock.ts";
import {
  LIST_HEADERS,
  sendList,
  sendText,
  serveHttp,
  serveTcp,
  type TestServer,
} from "../support/nomad-servers.ts";
import { until } from "../support/until.ts";

describe("time", () => {
  test.each([
    [60_000, 5_000, 78_750],
    [1, 0, 10_002],
    [300_000, 0, 328_750],
  ])("a wait of %i ms, margin %i ms, may take %i ms", (waitMs, marginMs, expected) => {
    expect(blockingDeadlineMs(waitMs, marginMs)).toBe(expected);
  });

  test.each([
    ["a gateway's error", (response: ServerResponse) => sendText(response, 504, "<html>504</html>")],
    [
      "a page in place of a list",
      (response: ServerResponse) => sendText(response, 200, "<html>sorry</html>"),
    ],
    ["a closed connection", (response: ServerResponse) => response.destroy()],
  ])("how long a query was held is known where it ended with %s", async (_what, end) => {
    await using agent = await serveHttp((_request, response) => {
      setTimeout(() => end(response), 120);
    });
    const client = clientOf({ addresses: [agent.url] });
    const error = await failureOf(client.list(jobs({ index: "486", waitMs: 55_000 })));
    expect(error.heldMs).toBeGreaterThan(100);
  });

  test("an answer that does not come ends at the deadline, and its connection with it", async () => {
    await using agent = await serveHttp(() => {});
    const error = await failureOf(clientOf({ addresses: [agent.url], requestTimeoutMs: 60 }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_TIMEOUT", retryable: true });
    expect(error.message).toMatch(/60 ms/);
    await until("all connections are closed", () => agent.open() === 0);
  });

  test("a body that drips on for ever ends at the deadline", async () => {
    await using agent = await serveHttp((_request, response) => {
      response.writeHead(200, LIST_HEADERS);
      const drip = setInterval(() => response.write(" "), 5);
      response.on("close", () => clearInterval(drip));
    });
    const error = await failureOf(clientOf({ addresses: [agent.url], bodyTimeoutMs: 80 }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_TIMEOUT", retryable: true });
    expect(error.message).toMatch(/body did not end/);
  });

  test("a body that stands still is given up long before that", async () => {
    await using agent = await serveHttp((_request, response) => {
      response.writeHead(200, LIST_HEADERS);
      response.write("[");
    });
    const error = await failureOf(clientOf({ addresses: [agent.url], stallTimeoutMs: 60 }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_TIMEOUT", retryable: true });
    expect(error.message).toMatch(/the body stood still/);
    await until("all connections are closed", () => agent.open() === 0);
  });

  test("a blocking query outlives the limit of other requests", async () => {
    const waiting: ServerResponse[] = [];
    await using agent = await serveHttp((_request, response) => void waiting.push(response));
    const clock = new TestClock();
    const client = clientOf({ addresses: [agent.url], requestTimeoutMs: 10_000 }, clock);
    const blocking = client.list(jobs({ index: "486", waitMs: 55_000 }));
    const other = failureOf(client.list(jobs()));
    await until("both wait", () => waiting.length === 2);
    await clock.advance(55_000);
    expect(await other).toMatchObject({ code: "NOMAD_TIMEOUT" });
    for (const response of waiting) sendList(response, "[]");
    expect((await blocking).index).toBe("486");
  });

  test("aborting rejects with the signal's reason, before, while and instead of sending", async () => {
    await using agent = await serveHttp(() => {});
    const client = clientOf({ addresses: [agent.url], maxConnections: 1 });
    const reason = new Error("stop");
    await expect(client.list(jobs({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    const flying = new AbortController();
    const queued = new AbortController();
    const first = client.list(jobs({ signal: flying.signal }));
    const second = client.list(jobs({ signal: queued.signal }));
    await until("the first is asked", () => agent.requests.length === 1);
    queued.abort(reason);
    await expect(second).rejects.toBe(reason);
    flying.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(agent.requests).toHaveLength(1);
    await until("all connections are closed", () => agent.open() === 0);
  });
});

describe("connections", () => {
  test("never exceed the budget; what is beyond it waits and is answered", async () => {
    await using agent = await serveHttp((_request, response) => {
      setTimeout(() => sendList(response, "[]"), 10);
    });
    const client = clientOf({ addresses: [agent.url], maxConnections: 3 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => client.list(jobs())));
    expect(answers).toHaveLength(12);
    expect(agent.peak()).toBe(3);
  });

  test("are free again after failures and aborts", async () => {
    let failures = 0;
    await using agent = await serveHttp((_request, response) => {
      failures += 1;
      if (failures <= 4) response.destroy();
      else sendList(response, "[]");
    });
    const client = clientOf({ addresses: [agent.url], maxConnections: 2 });
    const lost = await Promise.all(Array.from({ length: 4 }, () => failureOf(client.list(jobs()))));
    expect(lost.every((error) => error.retryable)).toBe(true);
    expect((await client.list(jobs())).body.toString()).toBe("[]");
  });

  test("reset at once are lost, and the limit is no more than a guess in the hint", async () => {
    await using agent = await serveTcp((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const error = await failureOf(clientOf({ addresses: [agent.url] }).list(jobs()));
    expect(error).toMatchObject({
      code: "NOMAD_UNREACHABLE",
      retryable: true,
      message: expect.stringContaining("reset at once"),
      hint: expect.stringContaining("http_max_conns_per_client"),
    });
    expect(publicReason(error)).toBe("Nomad cannot be reached (NOMAD_UNREACHABLE)");
  });

  test("closed without an answer, as by a leader that dies, are lost", async () => {
    await using agent = await serveTcp((socket) => socket.once("data", () => socket.end()));
    const error = await failureOf(clientOf({ addresses: [agent.url] }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_UNREACHABLE", retryable: true });
  });

  test("to something that speaks no HTTP", async () => {
    await using agent = await serveTcp((socket) =>
      socket.once("data", () => socket.end("SSH-2.0-OpenSSH\r\n")),
    );
    expect(await failureOf(clientOf({ addresses: [agent.url] }).list(jobs()))).toMatchObject({
      code: "NOMAD_BAD_RESPONSE",
    });
  });

  test("through a unix socket", async () => {
    const directory = mkdtempSync(join(tmpdir(), "ncf-socket-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    let host: unknown;
    await using agent = await serveHttp(
      (request, response) => {
        host = request.headers.host;
        sendList(response, STUBS);
      },
      { socketPath: join(directory, "api.sock") },
    );
    const answer = await clientOf({ addresses: [agent.url] }).list(jobs());
    expect(answer).toMatchObject({ address: agent.url });
    expect(answer.body.toString()).toBe(STUBS);
    expect(host).toBe("127.0.0.1");
    const error = await failureOf(clientOf({ addresses: [`${agent.url}.gone`] }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_UNREACHABLE" });
    expect(error.hint).toMatch(/unix:\/\//);
  });

  test("closing refuses whoever waits for a connection, and leaves the query in flight alone", async () => {
    await using agent = await serveHttp((_request, response) => {
      setTimeout(() => sendList(response, "[]"), 50);
    });
    const client = clientOf({ addresses: [agent.url], maxConnections: 1 });
    const flying = client.list(jobs());
    const waiting = failureOf(client.list(jobs()));
    await until("the first is asked", () => agent.requests.length === 1);
    await client[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ code: "NOMAD_UNREACHABLE", retryable: false });
    expect((await flying).index).toBe("486");
    await until("all connections are closed", () => agent.open() === 0);
    expect(agent.requests).toHaveLength(1);
  });

  test("a closed client refuses", async () => {
    await using agent = await serveHttp((_request, response) => sendList(response, "[]"));
    const client = clientOf({ addresses: [agent.url] });
    await client.list(jobs());
    await client[Symbol.asyncDispose]();
    expect(await failureOf(client.list(jobs()))).toMatchObject({
      code: "NOMAD_UNREACHABLE",
      retryable: false,
    });
    await until("all connections are closed", () => agent.open() === 0);
  });
});

describe("several addresses", () => {
  test("an agent that is down is passed over, and the one that answers is kept to", async () => {
    const gone = await portOfNobody();
    await using second = await serveHttp((_request, response) => sendList(response, "[]"));
    await using third = await serveHttp((_request, response) => sendList(response, "[]"));
    const client = clientOf({
      addresses: [`http://u:p@127.0.0.1:${gone}`, `http://u:p@127.0.0.1:${second.port}`, third.url],
    });
    for (let round = 0; round < 3; round += 1) {
      expect((await client.list(jobs())).address).toBe(second.url);
    }
    expect(third.requests).toEqual([]);
  });

  test("an agent without a leader is passed over", async () => {
    await using first = await serveHttp((_request, response) => sendText(response, 500, "No cluster leader"));
    await using second = await serveHttp((_request, response) => sendList(response, "[]"));
    const client = clientOf({ addresses: [first.url, second.url] });
    expect((await client.list(jobs())).address).toBe(second.url);
  });

  test("where all fail, each was asked once and the last failure is told", async () => {
    await using first = await serveHttp((_request, response) => sendText(response, 500, "No cluster leader"));
    await using second = await serveHttp((_request, response) => sendText(response, 502, "Bad Gateway"));
    const error = await failureOf(clientOf({ addresses: [first.url, second.url] }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_SERVER_ERROR", status: 502 });
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  test("a refusal is an answer: nobody else is asked", async () => {
    await using first = await serveHttp((_request, response) => sendText(response, 403, "Permission denied"));
    await using second = await serveHttp((_request, response) => sendList(response, "[]"));
    const client = clientOf({ addresses: [first.url, second.url] });
    expect(await failureOf(client.list(jobs()))).toMatchObject({ code: "NOMAD_FORBIDDEN" });
    expect(second.requests).toEqual([]);
  });

  test("an agent that hangs fails this request and is passed over by the next", async () => {
    await using first = await serveHttp(() => {});
    await using second = await serveHttp((_request, response) => sendList(response, "[]"));
    const client = clientOf({ addresses: [first.url, second.url], requestTimeoutMs: 60 });
    expect(await failureOf(client.list(jobs()))).toMatchObject({ code: "NOMAD_TIMEOUT" });
    expect((await client.list(jobs())).address).toBe(second.url);
  });
});

async function portOfNobody(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("credentials", () => {
  const TOKEN = "b9a26fbd-hidden-word-token";

  async function echo(): Promise<TestServer & { seen: Record<string, unknown>[] }> {
    const seen: Record<string, unknown>[] = [];
    const server = await serveHttp((request, response) => {
      seen.push(request.headers);
      sendList(response, "[]");
    });
    return Object.assign(server, { seen });
  }

  test("no token, no header", async () => {
    await using agent = await echo();
    await clientOf({ addresses: [agent.url] }).list(jobs());
    expect(agent.seen[0]).not.toHaveProperty("x-nomad-token");
    expect(agent.seen[0]).not.toHaveProperty("authorization");
  });

  test("token and basic authentication go out together", async () => {
    await using agent = await echo();
    const address = `http://us%40er:pa%3Ass@127.0.0.1:${agent.port}`;
    const answer = await clientOf({ addresses: [address], token: TOKEN, httpAuth: "not:this" }).list(jobs());
    expect(agent.seen[0]).toMatchObject({
      "x-nomad-token": TOKEN,
      authorization: `Basic ${Buffer.from("us@er:pa:ss").toString("base64")}`,
    });
    expect(answer.address).toBe(agent.url);
  });

  test("a token file is followed as it changes, and its gaps are bridged", async () => {
    const directory = mkdtempSync(join(tmpdir(), "ncf-token-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, "nomad_token");
    await using agent = await echo();
    const client = clientOf({ addresses: [agent.url], tokenFile: path });
    const sent = async () => {
      await client.list(jobs());
      return agent.seen.at(-1)?.["x-nomad-token"];
    };

    const missing = await failureOf(client.list(jobs()));
    expect(missing).toMatchObject({ code: "NOMAD_UNAUTHORIZED", retryable: true });
    expect(missing.message).toContain(path);
    expect(agent.requests).toEqual([]);

    writeFileSync(path, "first\n");
    expect(await sent()).toBe("first");
    writeFileSync(path, "other\n");
    expect(await sent()).toBe("other");
    writeFileSync(path, "");
    expect(await sent()).toBe("other");
    rmSync(path);
    expect(await sent()).toBe("other");
    writeFileSync(path, "third");
    expect(await sent()).toBe("third");
  });

  test("stand in no error, even where the server echoes them", async () => {
    const password = "hidden-word-password";
    const basic = Buffer.from(`u:${password}`).toString("base64");
    const echoes = [400, 401, 403, 404, 429, 500, 501, 503].map((status) => ({
      status,
      text: `bad ${TOKEN} ${basic} ${password}`,
    }));
    let next = 0;
    await using agent = await serveHttp((_request, response) => {
      const { status, text } = echoes[next] as (typeof echoes)[number];
      next += 1;
      sendText(response, status, text);
    });
    const client = clientOf({ addresses: [`http://u:${password}@127.0.0.1:${agent.port}`], token: TOKEN });
    for (const { status } of echoes) {
      const error = await failureOf(client.list(jobs()));
      expect(error.status).toBe(status);
      const shown = `${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`;
      expect(shown).toContain("bad [redacted]");
      for (const secret of [TOKEN, password, basic]) expect(shown).not.toContain(secret);
    }
  });

  test.each([
    ["however long a task's token is", "header.".padEnd(9000, "payload.")],
    ["whatever stands in a password", "two  words\tof it"],
  ])("are recognised in an echo %s", async (_name, secret) => {
    await using agent = await serveHttp((_request, response) => sendText(response, 400, `bad ${secret}`));
    const isToken = secret.startsWith("header.");
    const client = clientOf({
      addresses: [agent.url],
      ...(isToken ? { token: secret } : { httpAuth: `u:${secret}` }),
    });
    const error = await failureOf(client.list(jobs()));
    expect(error.message).toContain("bad [redacted]");
    expect(error.message).not.toMatch(/payload|words/);
  });

  test("a refusal whose text cannot be read is told by its status", async () => {
    await using agent = await serveHttp((_request, response) =>
      sendText(response, 403, "not gzip", { "Content-Encoding": "gzip" }),
    );
    const error = await failureOf(clientOf({ addresses: [agent.url] }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_FORBIDDEN", status: 403 });
  });

  test("Retry-After is handed on", async () => {
    await using agent = await serveHttp((_request, response) =>
      sendText(response, 429, "slow down", { "Retry-After": "7" }),
    );
    expect(await failureOf(clientOf({ addresses: [agent.url] }).list(jobs()))).toMatchObject({
      retryAfterMs: 7_000,
    });
  });
});
