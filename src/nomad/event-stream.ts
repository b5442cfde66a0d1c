import type { EventStream, EventStreamRequest } from "./api.ts";
import { NomadError } from "./errors.ts";
import { DeadlinePassed, ExchangeFailed } from "./exchange.ts";
import { LineSplitter, type Line } from "./lines.ts";
import type { Requester } from "./requester.ts";
import type { NomadStream } from "./requests.ts";
import { transportError } from "./transport-errors.ts";

/** A frame holds all objects that one raft entry changed, each whole; beyond this something is wrong. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

const BRACE = "{".charCodeAt(0);

/**
 * Subscribes. Resolves with Nomad's first line, since Nomad 1.11.2 and later answer 200 before they look at the token,
 * and leave the connection of a stream that they refuse or end open and silent, for half a minute or more. Rejects with
 * a NomadError, or with the signal's reason.
 */
export async function openEventStream(
  requester: Requester,
  patience: { firstLineMs: number; silenceMs: number },
  request: EventStreamRequest,
): Promise<EventStream> {
  const { topics, namespace, index, signal } = request;
  const capability = capabilityFor(request);
  const answer = await requester.open({
    path: "/v1/event/stream",
    query: [
      ...topics.map((topic): [string, string] => ["topic", topic]),
      ["namespace", namespace],
      ...(index === undefined ? [] : [["index", index] as [string, string]]),
    ],
    capability,
    firstMs: patience.firstLineMs,
    silenceMs: patience.silenceMs,
    signal,
  });
  const lines = linesOf(answer, capability, signal);
  try {
    const { value: first } = await lines.next();
    return {
      address: answer.address,
      lines: () => framesOf(first, lines),
      [Symbol.asyncDispose]: async () => answer.close(),
    };
  } catch (failure) {
    answer.close();
    throw failure;
  }
}

function capabilityFor({ topics, namespace }: EventStreamRequest): string {
  const where = namespace === "*" ? "every namespace" : `namespace "${namespace}"`;
  const needed = topics.some((topic) => topic !== "Node") ? [`read-job in ${where}`] : [];
  return [...needed, ...(topics.includes("Node") ? ["node:read"] : [])].join(" and ");
}

/** Every line, heartbeats too; never returns. */
async function* linesOf(
  answer: NomadStream,
  capability: string,
  signal: AbortSignal,
): AsyncGenerator<Line, never> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  let lines = 0;
  try {
    for await (const chunk of answer.body) {
      for (const line of splitter.push(chunk)) {
        // Nomad before 1.11.2 writes as plain text why it ends a stream.
        if (Buffer.isBuffer(line) && line[0] !== BRACE) throw ended(answer, line);
        lines += 1;
        yield line;
      }
    }
  } catch (failure) {
    signal.throwIfAborted();
    if (failure instanceof NomadError) throw failure;
    if (lines === 0 && isSilence(failure)) throw denied(answer, capability);
    throw transportError(answer.what, answer.address, failure);
  }
  const rest = splitter.rest();
  throw lines === 0 && isEmpty(rest) ? denied(answer, capability) : ended(answer, rest);
}

async function* framesOf(first: Line, others: AsyncGenerator<Line, never>): AsyncGenerator<Line> {
  if (!isHeartbeat(first)) yield first;
  for await (const line of others) if (!isHeartbeat(line)) yield line;
}

function isHeartbeat(line: Line): boolean {
  return Buffer.isBuffer(line) && line.length <= 4 && line.toString().trim() === "{}";
}

function isSilence(failure: unknown): boolean {
  return failure instanceof ExchangeFailed && failure.cause instanceof DeadlinePassed;
}

function isEmpty(line: Line): boolean {
  return Buffer.isBuffer(line) && line.length === 0;
}

function denied({ what, address }: NomadStream, capability: string): NomadError {
  return new NomadError("NOMAD_STREAM_DENIED", `${what} at ${address} was answered 200, and did not begin`, {
    retryable: false,
    hint: `This is how Nomad 1.11.2 and later refuse a stream: the token's policies must grant ${capability}. A server that is stopping does the same`,
    status: 200,
  });
}

function ended(answer: NomadStream, rest: Line): NomadError {
  const { what, address } = answer;
  return new NomadError("NOMAD_STREAM_ENDED", `${what} at ${address} was ended: ${reasonIn(answer, rest)}`, {
    retryable: true,
    hint: "Nomad ends streams when a server stops, when a token or its policies change, and when the reader is too slow",
  });
}

function reasonIn(answer: NomadStream, rest: Line): string {
  if (!Buffer.isBuffer(rest) || rest[0] === BRACE) return "cut off in the middle of a frame";
  return rest.length === 0 ? "without a reason" : answer.printable(rest);
}
