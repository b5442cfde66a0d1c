import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { LogUnavailable } from "../feed/errors.ts";
import { listenAddress } from "../shared/loopback.ts";
import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { GateOptions } from "./access/gate.ts";
import { isPreflight, Origins } from "./access/origins.ts";
import type { TlsFiles } from "./access/tls.ts";
import { connectionFrames } from "./connection-frames.ts";
import { refusalOf } from "./ended-stream.ts";
import { ListenFailed } from "./errors.ts";
import { assertMayListen, type ListenOptions } from "./listen.ts";
import { createListener } from "./listener.ts";
import { problemAnswer, type ProblemAnswer } from "./problem.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";

/** Beyond any number of probes; nobody else has business here. */
const MAX_CONNECTIONS = 256;
const RETRY_AFTER_SECONDS = 5;
/** Of what is said before it is known which feed this is. */
const SOURCE = "nomad-changefeed";

/**
 * Answers in the place of the server while there is no log to serve: alive, not ready, and 503 to everybody else. It
 * keeps the port, so that a port that is taken, or must not be opened, is known before a log is made.
 * @throws InsecureListen, ListenFailed, TlsFilesUnusable
 */
export async function openWaitingRoom(
  options: ListenOptions & Pick<GateOptions, "allowOrigins"> & { readonly tls?: TlsFiles },
  { logger, clock, why }: { logger: Logger; clock: Clock; why: () => string },
): Promise<AsyncDisposable> {
  assertMayListen(options);
  const listener = createListener(options, { logger, clock });
  const server = listener.create(answerWith(why, clock, new Origins(options.allowOrigins ?? [])));
  server.maxConnections = MAX_CONNECTIONS;
  server.on("upgrade", (_request, socket) => {
    socket.on("error", () => socket.destroy());
    refuseUpgrade(socket, notOpen(why()));
  });
  const { host, port } = options;
  server.listen({ host: listenAddress(host), port });
  try {
    await once(server, "listening");
  } catch (error) {
    listener.close();
    throw new ListenFailed(host, port, error);
  }
  let closed: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    listener.close();
    const end = once(server, "close");
    server.close();
    server.closeAllConnections();
    await end;
  };
  return { [Symbol.asyncDispose]: async () => void (await (closed ??= close())) };
}

function answerWith(why: () => string, clock: Clock, origins: Origins): RequestListener {
  return (request, response) => {
    response.setHeader("connection", "close");
    origins.allowReading(request, response);
    if (isPreflight(request)) {
      origins.answerPreflight(response);
      response.writeHead(204).end();
      return;
    }
    const path = request.url?.split("?", 1)[0];
    const json = { "content-type": "application/json; charset=utf-8" };
    if (path === "/healthz") {
      response.writeHead(200, json).end(JSON.stringify({ alive: true }));
    } else if (path === "/readyz") {
      response.writeHead(503, json).end(JSON.stringify({ ready: false, why: why() }));
    } else {
      const { status, headers, body } = notOpenTo(request, why(), clock);
      response.writeHead(status, headers).end(body);
    }
  };
}

/** What is said in place of a feed that is not served yet, or not any more. */
export function notOpen(why: string): ProblemAnswer {
  return comingAgain(problemAnswer(notYet(why)));
}

/** The same to a request: to an EventSource as a stream that ends, after which it comes back. */
export function notOpenTo(request: IncomingMessage, why: string, { now }: Pick<Clock, "now">): ProblemAnswer {
  return comingAgain(
    refusalOf(notYet(why), request, () => connectionFrames({ source: SOURCE, nowMs: () => now() })),
  );
}

function notYet(why: string): LogUnavailable {
  return new LogUnavailable(`The feed is not open yet: ${why}`, { hint: "Try again in some seconds" });
}

function comingAgain(answer: ProblemAnswer): ProblemAnswer {
  return { ...answer, headers: { ...answer.headers, "retry-after": String(RETRY_AFTER_SECONDS) } };
}
