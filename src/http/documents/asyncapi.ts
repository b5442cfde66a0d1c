import { NORMAL_CLOSE_CODE, OUTCOMES } from "../../publishers/connection/outcomes.ts";
import { PROTOCOL_VERSION } from "../../schemas/frames-schema.ts";
import { EVENTS_PARAMETER_DOCS } from "../../schemas/parameter-docs.ts";
import { EVENT_SCHEMAS, wireSchema, wireSchemas } from "./schemas.ts";

const MESSAGES = {
  change: "A change of a Nomad object",
  control: "The feed about itself",
  object: "An object of a snapshot",
  frame: "The connection about itself: hello, gap, snapshot, bookmark, pong, error",
} satisfies Record<(typeof EVENT_SCHEMAS)[number], string>;

const CLIENT_MESSAGES = {
  ping: { summary: "Answered by a pong frame", schema: one("ping", { type: "integer" }) },
  ack: {
    summary: "Everything up to this cursor was dealt with; with `consumer` only",
    schema: one("ack", { type: "string" }),
  },
};

/** The WebSocket of `/v1/events` as AsyncAPI 3: made from the schemas and the tables that the server uses. */
export function asyncApiDocument(): object {
  return {
    asyncapi: "3.0.0",
    info: {
      title: "nomad-changefeed",
      version: String(PROTOCOL_VERSION),
      description: `Every change of a Nomad cluster, durable, ordered, replayable. PROTOCOL.md tells it for people.\n\n${closeCodes()}`,
      license: { name: "Apache-2.0" },
    },
    defaultContentType: "application/cloudevents+json",
    channels: { events: eventsChannel() },
    operations: {
      sendEvents: operation(
        "send",
        "What a subscriber gets, one CloudEvent a text frame",
        Object.keys(MESSAGES),
      ),
      receiveFromClient: operation("receive", "What a subscriber may send", Object.keys(CLIENT_MESSAGES)),
    },
    components: { schemas: wireSchemas() },
  };
}

function eventsChannel(): object {
  const fromServer = Object.entries(MESSAGES).map(([name, summary]) => [
    name,
    { name, summary, contentType: "application/cloudevents+json", payload: wireSchema(name) },
  ]);
  const fromClient = Object.entries(CLIENT_MESSAGES).map(([name, { summary, schema }]) => [
    name,
    { name, summary, contentType: "application/json", payload: schema },
  ]);
  return {
    address: "/v1/events",
    description: "Subprotocol cloudevents.json, which is echoed when offered",
    messages: Object.fromEntries([...fromServer, ...fromClient]),
    bindings: { ws: { method: "GET", query: query(), bindingVersion: "0.1.0" } },
  };
}

function query(): object {
  const properties = EVENTS_PARAMETER_DOCS.map(({ name, description, schema }) => [
    name,
    { description, ...schema },
  ]);
  return { type: "object", properties: Object.fromEntries(properties) };
}

function operation(action: "send" | "receive", summary: string, messages: readonly string[]): object {
  return {
    action,
    channel: { $ref: "#/channels/events" },
    summary,
    messages: messages.map((name) => ({ $ref: `#/channels/events/messages/${name}` })),
  };
}

function one(name: string, schema: object): object {
  return { type: "object", properties: { [name]: schema }, required: [name], additionalProperties: false };
}

/** Markdown: AsyncAPI has no place of its own for close codes. */
function closeCodes(): string {
  const byCode = Map.groupBy(OUTCOMES, ([, { closeCode }]) => closeCode);
  const rows = [...byCode]
    .toSorted(([a], [b]) => a - b)
    .map(([closeCode, errors]) => `| ${closeCode} | ${errors.map(([code]) => code).join(", ")} |`);
  return ["| close code | error |", "| --- | --- |", `| ${NORMAL_CLOSE_CODE} | done |`, ...rows].join("\n");
}
