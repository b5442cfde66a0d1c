import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { EventStream, EventStreamRequest } from "../../src/nomad/api.ts";
import type { Line } from "../../src/nomad/lines.ts";
import { clientOf, failureOf } from "../support/nomad-clients.ts";
import { sendText, serveHttp, serveTcp } from "../support/nomad-servers.ts";
import { until } from "../support/until.ts";

const never = new AbortController().signal;

function request(changes: Partial<EventStreamRequest> = {}): EventStreamRequest {
  return { topics: ["Job", "Allocation"], namespace: "*", signal: never, ...changes };
}

/** As Nomad from 1.11.2 on, which answers so before it looks at the token. */
const HIJACKED =
  "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-cache\r\nContent-Type: application/json\r\n\r\n";

/** Answers each connection with these pieces, each in a packet of its own, and then ends it unless told not to. */
function serveStream(pieces: readonly string[], then: (socket: Socket) => void = (socket) => socket.end()) {
  return serveTcp((socket) => {
    socket.setNoDelay(true);
    socket.on("end", () => socket.end());
    const rest = [HIJACKED, ...pieces];
    const writeNext = () => {
      const piece = rest.shift();
      if (piece === undefined) then(socket);
      else socket.write(piece, () => setImmediate(writeNext));
    };
    socket.once("data", writeNext);
  });
}

function textOf(line: Line): string {
  return Buffer.isBuffer(line) ? line.toString() : `${line.bytes} bytes too many`;
}

/** What a stream says until it ends, and how it ends. */
async function readAll(stream: EventStream) {
  const lines: string[] = [];
  const end = await failureOf(
    (async () => {
      for await (const line of stream.lines()) lines.push(textOf(line));
    })(),
  );
  await stream[Symbol.asyncDispose]();
  return { lines, end };
}

describe("the event stream", () => {
  it("comes frame by frame, word for word, without heartbeats, however it is cut", async () => {
    const frames = ['{"Index":12,"Events":[{"Key":"ü"}]}', '{"Index":13,"Events":[]}'];
    const wire = `{}\n${frames[0]}\n{}\n${frames[1]}\n{}\n`;
    await using agent = await serveStream(wire.split(/(?<=.)/u));
    const stream = await clientOf({ addresses: [agent.url] }).events(request());
    expect(stream.address).toBe(agent.url);
    const { lines, end } = await readAll(stream);
    expect(lines).toEqual(frames);
    expect(end).toMatchObject({ code: "NOMAD_STREAM_ENDED", retryable: true });
    expect(end.message).toContain("without a reason");
  });

  it("of a Nomad that sends no first heartbeat begins with a frame", async () => {
    await using agent = await serveStream(['{"Index":12,"Events":[]}\n']);
    const { lines } = await readAll(await clientOf({ addresses: [agent.url] }).events(request()));
    expect(lines).toEqual(['{"Index":12,"Events":[]}']);
  });

  it("is asked for with every topic, and from an index where there is one", async () => {
    await using agent = await serveHttp((_request, response) => response.writeHead(200).end("{}\n"));
    const client = clientOf({ addresses: [agent.url], region: "eu" });
    await readAll(await client.events(request()));
    await readAll(
      await client.events(request({ topics: ["Node"], namespace: "a&b", index: "90071992547409931" })),
    );
    expect(agent.requests).toEqual([
      "GET /v1/event/stream?topic=Job&topic=Allocation&namespace=*&region=eu",
      "GET /v1/event/stream?topic=Node&namespace=a%26b&index=90071992547409931&region=eu",
    ]);
  });

  it("that ends before its first line was denied, and says what the token must be granted", async () => {
    await using agent = await serveStream([]);
    const client = clientOf({ addresses: [agent.url] });
    const denied = await failureOf(client.events(request({ topics: ["Job", "Node"] })));
    expect(denied).toMatchObject({ code: "NOMAD_STREAM_DENIED", retryable: false, status: 200 });
    expect(denied.hint).toContain("read-job in every namespace and node:read");
  });

  it.each([
    [403, "Permission denied", "NOMAD_FORBIDDEN"],
    [500, "Permission denied", "NOMAD_FORBIDDEN"],
    [404, "", "NOMAD_NOT_FOUND"],
    [501, "Nomad Enterprise only endpoint", "NOMAD_ENTERPRISE_ONLY"],
    [500, "No cluster leader", "NOMAD_NO_LEADER"],
    [400, "Invalid topic query: x", "NOMAD_BAD_REQUEST"],
  ])("that is answered %i %s is %s", async (status, text, code) => {
    await using agent = await serveHttp((_request, response) => sendText(response, status, text));
    const error = await failureOf(clientOf({ addresses: [agent.url] }).events(request()));
    expect(error).toMatchObject({ code, status });
    expect(error.message).toContain(text);
  });

  it("says in whose words it was ended, as an older Nomad writes them", async () => {
    await using agent = await serveStream([
      "{}\n",
      "subscription closed by server, client should resubscribe",
    ]);
    const { end } = await readAll(await clientOf({ addresses: [agent.url] }).events(request()));
    expect(end.code).toBe("NOMAD_STREAM_ENDED");
    expect(end.message).toContain("ended: subscription closed by server, client should resubscribe");
  });

  it("that is cut off in the middle of a frame gives the whole ones, and says so", async () => {
    await using agent = await serveStream(["{}\n", '{"Index":1,"Events":[]}\n{"Index":2,"Ev']);
    const { lines, end } = await readAll(await clientOf({ addresses: [agent.url] }).events(request()));
    expect(lines).toEqual(['{"Index":1,"Events":[]}']);
    expect(end).toMatchObject({ code: "NOMAD_STREAM_ENDED", retryable: true });
    expect(end.message).toContain("cut off in the middle of a frame");
  });

  it("whose connection is lost, where a Nomad before 1.11.2 would say that it ends, ends as unreachable", async () => {
    await using agent = await serveHttp((_request, response) => {
      response.writeHead(200).write("{}\n", () => response.socket?.resetAndDestroy());
    });
    const { end } = await readAll(await clientOf({ addresses: [agent.url] }).events(request()));
    expect(end).toMatchObject({ code: "NOMAD_UNREACHABLE", retryable: true });
  });

  it("that is accepted and does not begin was denied too", async () => {
    await using agent = await serveStream([], () => undefined);
    const denied = await failureOf(clientOf({ addresses: [agent.url], firstLineMs: 30 }).events(request()));
    expect(denied).toMatchObject({ code: "NOMAD_STREAM_DENIED", retryable: false });
    await until("the connection is closed", () => agent.open() === 0);
  });

  it("that falls silent has ended", async () => {
    await using agent = await serveStream(["{}\n"], () => undefined);
    const client = clientOf({ addresses: [agent.url], streamSilenceMs: 30 });
    const { end } = await readAll(await client.events(request()));
    expect(end).toMatchObject({ code: "NOMAD_TIMEOUT", retryable: true });
    await until("the connection is closed", () => agent.open() === 0);
  });

  it("moves on to the address that answers", async () => {
    await using agent = await serveStream(["{}\n"]);
    const stream = await clientOf({ addresses: ["http://127.0.0.1:1", agent.url] }).events(request());
    expect(stream.address).toBe(agent.url);
    await stream[Symbol.asyncDispose]();
  });

  it("holds one connection of those allowed, until it is disposed of or aborted", async () => {
    await using agent = await serveStream(["{}\n"], () => undefined);
    const client = clientOf({ addresses: [agent.url], maxConnections: 1 });
    const first = await client.events(request());
    const second = client.events(request());
    expect(agent.open()).toBe(1);
    await first[Symbol.asyncDispose]();
    await (await second)[Symbol.asyncDispose]();
    const stop = new AbortController();
    const third = await client.events(request({ signal: stop.signal }));
    const reading = third.lines()[Symbol.asyncIterator]().next();
    stop.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    await third[Symbol.asyncDispose]();
    await until("the connection is closed", () => agent.open() === 0);
  });
});
