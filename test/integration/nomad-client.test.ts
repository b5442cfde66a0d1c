import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ListRequest } from "../../src/nomad/api.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { clientOf, failureOf, jobs, STUBS } from "../support/nomad-clients.ts";
import { LIST_HEADERS, sendList, sendText, serveHttp, serveTcp } from "../support/nomad-servers.ts";

describe("lists", () => {
  test("come byte for byte, with what the headers say", async () => {
    await using agent = await serveHttp((_request, response) => sendList(response, STUBS));
    const answer = await clientOf({ addresses: [agent.url], region: "global" }).list(jobs());
    expect(answer.body.toString()).toBe(STUBS);
    expect(answer).toMatchObject({
      index: "486",
      knownLeader: true,
      lastContactMs: 0,
      consistency: "default",
      address: agent.url,
    });
    expect(answer.elapsedMs).toBeGreaterThan(0);
    expect(agent.requests).toEqual(["GET /v1/jobs?namespace=default&region=global"]);
  });

  test("come decompressed", async () => {
    let accepted: unknown;
    await using agent = await serveHttp((request, response) => {
      accepted = request.headers["accept-encoding"];
      sendList(response, gzipSync(STUBS), { "Content-Encoding": "gzip" });
    });
    const { body } = await clientOf({ addresses: [agent.url], compression: "gzip" }).list(jobs());
    expect(accepted).toBe("gzip");
    expect(body.toString()).toBe(STUBS);
  });

  test("are not asked for compressed from an agent on this machine", async () => {
    const accepted: unknown[] = [];
    await using agent = await serveHttp((request, response) => {
      accepted.push(request.headers["accept-encoding"]);
      sendList(response, STUBS);
    });
    await clientOf({ addresses: [agent.url] }).list(jobs());
    await clientOf({ addresses: [agent.url], compression: "none" }).list(jobs());
    expect(accepted).toEqual(["identity", "identity"]);
  });

  test("of many megabytes come whole, with and without compression, chunked and not", async () => {
    const large = Buffer.from(
      `[${JSON.stringify({ ID: "x", Noise: randomBytes(3_000_000).toString("hex") })}]`,
    );
    await using agent = await serveHttp((request, response) => {
      const { searchParams } = new URL(request.url ?? "", "http://x");
      const chunked = searchParams.get("namespace")?.includes("chunked") === true;
      const gzip = searchParams.get("namespace")?.includes("gzip") === true;
      const body = gzip ? gzipSync(large, { level: 1 }) : large;
      response.writeHead(200, {
        ...LIST_HEADERS,
        ...(gzip ? { "Content-Encoding": "gzip" } : {}),
        ...(chunked ? {} : { "Content-Length": body.length }),
      });
      response.end(body);
    });
    const client = clientOf({ addresses: [agent.url] });
    const damaged: string[] = [];
    for (const namespace of ["plain", "plain-chunked", "gzip", "gzip-chunked"]) {
      const { body } = await client.list(jobs({ namespace }));
      if (!body.equals(large)) damaged.push(namespace);
    }
    expect(damaged).toEqual([]);
  });

  test("that nobody waits for come whole too, and leave the process to others in between", async () => {
    const large = Buffer.from(
      `[${JSON.stringify({ ID: "x", Noise: randomBytes(500_000).toString("hex") })}]`,
    );
    await using agent = await serveHttp((_request, response) => sendList(response, large));
    const rests: number[] = [];
    const clock: Clock = {
      ...systemClock,
      after: (ms, run) => {
        if (ms < 100) rests.push(ms);
        return systemClock.after(ms, run);
      },
    };
    const client = clientOf({ addresses: [agent.url] }, clock);
    expect((await client.list(jobs({ unhurried: true }))).body.equals(large)).toBe(true);
    // One in 256 KiB.
    expect(rests).toHaveLength(3);
    expect((await client.list(jobs())).body.equals(large)).toBe(true);
    expect(rests).toHaveLength(3);
  });

  test.each([["null"], [""], [" null\n"], ["[]"]])("%o is an empty list", async (body) => {
    await using agent = await serveHttp((_request, response) => sendList(response, body));
    expect((await clientOf({ addresses: [agent.url] }).list(jobs())).body.toString()).toBe("[]");
  });

  test.each<[string, Partial<ListRequest>, string]>([
    ["at once", {}, "/v1/jobs?namespace=default"],
    ["blocking", { index: "486", waitMs: 60_000 }, "/v1/jobs?namespace=default&index=486&wait=60000ms"],
    ["never with index 0", { index: "0", waitMs: 1500.2 }, "/v1/jobs?namespace=default&index=1&wait=1501ms"],
    [
      "beyond 2^53",
      { index: "18446744073709551615", waitMs: 1 },
      "/v1/jobs?namespace=default&index=18446744073709551615&wait=1ms",
    ],
    [
      "never with wait 0, which Nomad takes for five minutes",
      { index: "1", waitMs: 0 },
      "/v1/jobs?namespace=default&index=1&wait=1ms",
    ],
    ["with a wait of its own choice", { index: "1" }, "/v1/jobs?namespace=default&index=1&wait=55000ms"],
    ["stale", { consistency: "stale" }, "/v1/jobs?namespace=default&stale="],
    ["of all namespaces", { namespace: "*" }, "/v1/jobs?namespace=*"],
    ["of the cluster", { resource: "nodes", namespace: "-" }, "/v1/nodes"],
    [
      "by an exact prefix",
      { prefix: "a/dispatch-1+2 %ü&c", index: "7", waitMs: 1 },
      "/v1/jobs?namespace=default&index=7&wait=1ms&prefix=a%2Fdispatch-1%2B2+%25%C3%BC%26c",
    ],
    ["for one page", { perPage: 1 }, "/v1/jobs?namespace=default&per_page=1"],
    ["of an odd namespace", { namespace: "a b&c" }, "/v1/jobs?namespace=a+b%26c"],
  ])("are asked for %s", async (_name, changes, expected) => {
    await using agent = await serveHttp((_request, response) => sendList(response, "[]"));
    await clientOf({ addresses: [agent.url] }).list(jobs(changes));
    expect(agent.requests).toEqual([`GET ${expected}`]);
  });
});

test("a path of the address is not asked under, and a refusal says so", async () => {
  await using agent = await serveHttp((_request, response) => sendText(response, 404, "no such route"));
  const error = await failureOf(clientOf({ addresses: [`${agent.url}/nomad`] }).list(jobs()));
  expect(agent.requests[0]).toMatch(/^(GET )?\/v1\/jobs/);
  expect(error.hint).toContain("The path /nomad of the address was dropped");
  const plain = await failureOf(clientOf({ addresses: [agent.url] }).list(jobs()));
  expect(plain.hint).not.toContain("dropped");
});

describe("answers that are not accepted", () => {
  test.each<[string, Record<string, string>, string, RegExp]>([
    ["HTML", { "Content-Type": "text/html" }, "[]", /content type text\/html/],
    ["no index", { "X-Nomad-Index": "" }, "[]", /x-nomad-index/],
    ["an index that is no number", { "X-Nomad-Index": "4.5" }, "[]", /x-nomad-index/],
    ["a contact that is no number", { "X-Nomad-Lastcontact": "never" }, "[]", /x-nomad-lastcontact/],
    ["an object", {}, '{"a":1}', /no whole JSON list/],
    ["a list without end", {}, '[{"a":1}', /no whole JSON list/],
    ["an encoding nobody asked for", { "Content-Encoding": "br" }, "[]", /encoding "br"/],
  ])("%s", async (_name, headers, body, message) => {
    await using agent = await serveHttp((_request, response) => sendList(response, body, headers));
    const error = await failureOf(clientOf({ addresses: [agent.url] }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_BAD_RESPONSE", retryable: true });
    expect(error.message).toMatch(message);
  });

  const gzipped = gzipSync(STUBS);
  test.each<[string, string, Buffer, string]>([
    [
      "a body shorter than announced",
      `Content-Length: ${STUBS.length + 9}`,
      Buffer.from(STUBS),
      "NOMAD_BAD_RESPONSE|NOMAD_UNREACHABLE",
    ],
    [
      "chunks without an end",
      "Transfer-Encoding: chunked",
      Buffer.from(`${STUBS.length.toString(16)}\r\n${STUBS}\r\n`),
      "NOMAD_BAD_RESPONSE|NOMAD_UNREACHABLE",
    ],
    [
      "a gzip body cut off",
      `Content-Encoding: gzip\r\nContent-Length: ${gzipped.length - 7}`,
      gzipped.subarray(0, -7),
      "NOMAD_BAD_RESPONSE",
    ],
    [
      "a gzip body changed",
      `Content-Encoding: gzip\r\nContent-Length: ${gzipped.length}`,
      flipped(gzipped),
      "NOMAD_BAD_RESPONSE",
    ],
    [
      "a gzip body with more behind it",
      `Content-Encoding: gzip\r\nContent-Length: ${gzipped.length + 4}`,
      Buffer.concat([gzipped, gzipped.subarray(-4)]),
      "NOMAD_BAD_RESPONSE",
    ],
    [
      "a gzip body of few bytes",
      "Content-Encoding: gzip\r\nContent-Length: 3",
      gzipped.subarray(0, 3),
      "NOMAD_BAD_RESPONSE",
    ],
    ["an unframed body cut off", "Connection: close", Buffer.from(STUBS.slice(0, -1)), "NOMAD_BAD_RESPONSE"],
  ])("%s", async (_name, framing, body, codes) => {
    await using agent = await serveTcp((socket) => {
      socket.once("data", () => {
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Nomad-Index: 5\r\n${framing}\r\n\r\n`,
        );
        socket.end(body);
      });
    });
    const error = await failureOf(clientOf({ addresses: [agent.url] }).list(jobs()));
    expect(codes.split("|")).toContain(error.code);
    expect(error.retryable).toBe(true);
  });

  test.each([
    ["announced", { "Content-Length": "2000" }, Buffer.from(`[${" ".repeat(1998)}]`)],
    ["chunked", {}, Buffer.from(`[${" ".repeat(1998)}]`)],
    ["compressed", { "Content-Encoding": "gzip" }, gzipSync(`[${" ".repeat(1998)}]`)],
  ])("a body beyond the bound, %s", async (_name, headers, body) => {
    await using agent = await serveHttp((_request, response) => {
      response.writeHead(200, { ...LIST_HEADERS, ...headers });
      response.write(body.subarray(0, 10));
      response.end(body.subarray(10));
    });
    const error = await failureOf(clientOf({ addresses: [agent.url], maxBodyBytes: 1999 }).list(jobs()));
    expect(error).toMatchObject({ code: "NOMAD_BAD_RESPONSE", retryable: false });
    expect(error.message).toMatch(/larger than 1999 bytes/);
  });

  test.each<[string, Partial<ListRequest>, Record<string, string>, string]>([
    [
      "too long out of contact",
      { consistency: "stale" },
      { "X-Nomad-Lastcontact": "201" },
      "NOMAD_STALE_RESPONSE",
    ],
    [
      "no leader, stale",
      { consistency: "stale" },
      { "X-Nomad-Knownleader": "false" },
      "NOMAD_STALE_RESPONSE",
    ],
    ["no leader, default consistency", {}, { "X-Nomad-Knownleader": "false" }, "NOMAD_NO_LEADER"],
  ])("%s", async (_name, changes, headers, code) => {
    await using agent = await serveHttp((_request, response) => sendList(response, "[]", headers));
    const listed = clientOf({ addresses: [agent.url], maxStaleMs: 200 }).list(jobs(changes));
    expect(await failureOf(listed)).toMatchObject({ code, retryable: true });
  });
});

test("a stale answer within the bound is taken", async () => {
  await using agent = await serveHttp((_request, response) =>
    sendList(response, "[]", { "X-Nomad-Lastcontact": "200" }),
  );
  const client = clientOf({ addresses: [agent.url], maxStaleMs: 200, consistency: "stale" });
  expect(await client.list(jobs())).toMatchObject({ lastContactMs: 200, consistency: "stale" });
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[bytes.length - 8] = (copy[bytes.length - 8] as number) ^ 0xff;
  return copy;
}
