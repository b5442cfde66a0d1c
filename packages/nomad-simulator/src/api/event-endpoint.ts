import type { IncomingMessage, ServerResponse } from "node:http";
import type { SubscriptionRequest } from "../events/subscription.ts";
import type { FaultRule, FaultRules } from "../fault-rules.ts";
import type { ConnectionSlots } from "./connections.ts";
import type { ApiContext } from "./context.ts";
import { parseEventQuery, subscriptionOf } from "./event-request.ts";
import { EventStream, type StreamSink } from "./event-stream.ts";
import { PERMISSION_DENIED, problem, type Reply } from "./reply.ts";
import { acceptsGzip, parseRequest } from "./request.ts";
import { send } from "./send.ts";

export interface EventEndpointParts {
  readonly context: ApiContext;
  readonly rules: FaultRules;
  readonly slots: ConnectionSlots;
}

interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly fault: FaultRule | undefined;
}

/** What Nomad writes, raw, once it has taken the connection from Go's HTTP server. */
const HEAD =
  "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-cache\r\nContent-Type: application/json\r\n" +
  "Vary: Accept-Encoding\r\n\r\n";

/** `/v1/event/stream`: the events of the server that is asked, whoever leads. */
export class EventEndpoint {
  readonly #parts: EventEndpointParts;
  #denials = 0;

  constructor(parts: EventEndpointParts) {
    this.#parts = parts;
  }

  async serve(exchange: Exchange): Promise<void> {
    const { context } = this.#parts;
    const { message, url } = exchange;
    const query = parseEventQuery(url.searchParams);
    if ("badRequest" in query) return await this.#answer(exchange, problem(400, query.badRequest));
    const request = parseRequest(message, url);
    if ("badRequest" in request) return await this.#answer(exchange, problem(400, request.badRequest));
    const denied = this.#isDenied(exchange.fault, request.region);
    const wanted = denied ? undefined : subscriptionOf(context, request, query);
    if (context.hijacks) await this.#hijack(exchange, wanted, query.index);
    else if (wanted === undefined) await this.#answer(exchange, PERMISSION_DENIED);
    else await this.#respond(exchange, wanted, query.index);
  }

  #isDenied(fault: FaultRule | undefined, region: string): boolean {
    const told = this.#denials > 0;
    this.#denials = Math.max(0, this.#denials - 1);
    return told || fault?.kind === "eof" || (region !== "" && region !== this.#parts.context.region);
  }

  /** A stream nobody has the right to is 200 as well: it ends before its first line. */
  async #hijack(exchange: Exchange, wanted: SubscriptionRequest | undefined, index: bigint): Promise<void> {
    const { socket } = exchange.message;
    this.#parts.slots.hijack(socket);
    socket.write(HEAD);
    if (wanted !== undefined) await this.#stream(exchange, socket, wanted, index);
    socket.destroySoon();
  }

  /** One that ends says why, in the middle of the body: its status is out. */
  async #respond(exchange: Exchange, wanted: SubscriptionRequest, index: bigint): Promise<void> {
    const { response } = exchange;
    response.setHeader("Content-Type", "application/json").setHeader("Cache-Control", "no-cache");
    response.end(await this.#stream(exchange, response, wanted, index));
  }

  /** Returns why the stream has ended. */
  async #stream(
    { fault, url, message: { socket } }: Exchange,
    sink: StreamSink,
    wanted: SubscriptionRequest,
    index: bigint,
  ): Promise<string | undefined> {
    const { context, rules } = this.#parts;
    const { events } = context.raft;
    const subscription = events.subscribe(wanted, index);
    const target = {
      resource: "event",
      namespace: url.searchParams.get("namespace") ?? "default",
      acceptsGzip: false,
    };
    const denyNext = (): void => void (this.#denials += 1);
    if (fault?.kind === "reset-blocked")
      setTimeout(() => socket.resetAndDestroy(), fault.delayMs ?? 0).unref();
    try {
      await new EventStream(
        { context, subscription, drawFault: () => rules.drawFrame(target), denyNext },
        sink,
      ).run();
      return subscription.endedBy;
    } finally {
      events.unsubscribe(subscription);
    }
  }

  async #answer({ message, response }: Exchange, reply: Reply): Promise<void> {
    const { random } = this.#parts.context;
    await send(response, reply, { gzip: acceptsGzip(message), random, fault: undefined });
  }
}
