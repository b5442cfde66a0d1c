import { CONSUMER_NAME } from "../../schemas/subscription-schema.ts";
import { PROTOCOL_VERSION } from "../../schemas/frames-schema.ts";
import {
  COUNTS_PARAMETER_DOCS,
  EVENTS_PARAMETER_DOCS,
  HISTORY_PARAMETER_DOCS,
  JOB_VERSIONS_PARAMETER_DOCS,
  STATE_PARAMETER_DOCS,
  WHY_PARAMETER_DOCS,
} from "../../schemas/parameter-docs.ts";
import { auditPaths } from "./audit-paths.ts";
import { sessionPaths } from "./session-paths.ts";
import { answer, inPath, refusals } from "./parts.ts";
import { wireSchema, wireSchemas } from "./schemas.ts";

/** What steering a delivery may be answered instead. */
const ANY_REFUSAL = [400, 401, 403, 404, 409, 410, 412, 503] as const;

const BATCH = "application/cloudevents-batch+json";
const NDJSON = "application/x-ndjson";

/** The ways to say who one is; PROTOCOL.md section 9. */
const SECURITY_SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "A token of the server's tokens file, or of Nomad, as --auth says",
  },
  nomadToken: {
    type: "apiKey",
    in: "header",
    name: "X-Nomad-Token",
    description: "The same, as Nomad's own tools send it",
  },
  ticket: {
    type: "apiKey",
    in: "query",
    name: "ticket",
    description: "What POST /v1/tickets gives, for clients that cannot send headers; good once, for 30 s",
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "changefeed-<hash of the source>",
    description:
      "What POST /v1/session gives to a page of this server; other methods than GET need X-Changefeed-Csrf: 1 with it",
  },
} as const;

/** What can be asked for over HTTP, as OpenAPI 3.1: made from the schemas and the tables that the server uses. */
export function openApiDocument(): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "nomad-changefeed",
      version: String(PROTOCOL_VERSION),
      description:
        "Every change of a Nomad cluster, durable, ordered, replayable. PROTOCOL.md tells it for people.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    // Relative to where this document is, which may be below a path of a proxy.
    servers: [{ url: "..", description: "This server" }],
    // Where the server asks nobody, none is needed; else one of them.
    security: [{}, ...Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] }))],
    paths: {
      ...eventPaths(),
      ...consumerPaths(),
      ...deliveryPaths(),
      ...silencePaths(),
      ...auditPaths(),
      ...sessionPaths(),
      ...otherPaths(),
    },
    components: { schemas: wireSchemas(), securitySchemes: SECURITY_SCHEMES },
  };
}

function eventPaths(): object {
  return {
    "/v1/events": {
      get: {
        operationId: "readEvents",
        summary: "Events: a page, or a stream as Accept says; a WebSocket on upgrade (see /v1/asyncapi.json)",
        parameters: [...EVENTS_PARAMETER_DOCS.map(inQuery), lastEventId()],
        responses: {
          200: answer(
            "Events in the order of the log",
            {
              [BATCH]: { type: "array", items: eventSchema("change", "control") },
              "text/event-stream": {
                type: "string",
                description: "`data:` is one CloudEvent, `id:` its cursor",
              },
              [NDJSON]: { type: "string", description: "One CloudEvent a line" },
            },
            ["X-Changefeed-Cursor", "X-Changefeed-Head", "X-Changefeed-Floor", "X-Changefeed-Gap", "Link"],
          ),
          ...refusals(400, 401, 403, 409, 410, 412, 414, 429, 503),
        },
      },
    },
    "/v1/events/{cursor}": {
      parameters: [inPath("cursor", { type: "string" })],
      get: {
        operationId: "readEvent",
        summary: "One event, by its cursor",
        responses: {
          200: answer("The event", { "application/cloudevents+json": eventSchema("change", "control") }),
          ...refusals(400, 401, 403, 404, 409, 410, 412, 429, 503),
        },
      },
    },
    "/v1/state": {
      get: {
        operationId: "readState",
        summary: "The objects, now or as of `at`, true together at the cursor of the header",
        parameters: STATE_PARAMETER_DOCS.map(inQuery),
        responses: {
          200: answer(
            "Objects, in order of resource, namespace and key",
            {
              [BATCH]: { type: "array", items: eventSchema("object") },
              [NDJSON]: { type: "string", description: "One object a line" },
            },
            ["X-Changefeed-Cursor"],
          ),
          ...refusals(400, 401, 403, 409, 410, 412, 414, 422, 429, 503),
        },
      },
    },
    "/v1/history": {
      get: {
        operationId: "readHistory",
        summary: "What the log remembers, by index",
        parameters: HISTORY_PARAMETER_DOCS.map(inQuery),
        responses: {
          200: answer(
            "A page of events",
            { [BATCH]: { type: "array", items: eventSchema("change", "control") } },
            ["X-Changefeed-Cursor", "X-Changefeed-Floor", "Link"],
          ),
          ...refusals(400, 401, 403, 409, 410, 412, 414, 429, 503),
        },
      },
    },
    "/v1/job-versions": {
      get: {
        operationId: "readJobVersions",
        summary: "The versions of a job's specification, and what each changed, as Nomad has them now",
        parameters: JOB_VERSIONS_PARAMETER_DOCS.map((parameter) => ({
          ...inQuery(parameter),
          required: true,
        })),
        responses: {
          200: answer("Versions, newest first", { "application/json": wireSchema("jobVersions") }),
          ...refusals(400, 401, 403, 404, 422, 429, 503),
        },
      },
    },
    "/v1/why": {
      get: {
        operationId: "readWhy",
        summary: "What led to an object's state: causes and effects, and the same as a story",
        parameters: WHY_PARAMETER_DOCS.map((doc) => ({ ...inQuery(doc), required: doc.name === "subject" })),
        responses: {
          200: answer("The chain", { "application/json": wireSchema("why") }),
          ...refusals(400, 401, 403, 404, 409, 410, 412, 414, 422, 429, 503),
        },
      },
    },
    "/v1/counts": {
      get: {
        operationId: "countEvents",
        summary: "How many events there were, over time",
        parameters: COUNTS_PARAMETER_DOCS.map(inQuery),
        responses: {
          200: answer("The counts", { "application/json": wireSchema("counts") }),
          ...refusals(400, 401, 403, 414, 503),
        },
      },
    },
    "/v1/data/{cursor}": {
      parameters: [inPath("cursor", { type: "string" })],
      get: {
        operationId: "readData",
        summary: "The whole `data` of an event that was too large for it",
        responses: {
          200: answer("The data", { "application/json": { type: "object" } }),
          ...refusals(400, 401, 403, 404, 409, 410, 503),
        },
      },
    },
  };
}

function consumerPaths(): object {
  const consumer = answer("The consumer as it is stored", { "application/json": wireSchema("consumer") });
  return {
    "/v1/consumers": {
      get: {
        operationId: "listConsumers",
        summary: "All named consumers",
        responses: {
          200: answer("Consumers, by name", {
            "application/json": {
              type: "object",
              required: ["consumers"],
              properties: { consumers: { type: "array", items: wireSchema("consumer") } },
            },
          }),
          ...refusals(401, 403, 503),
        },
      },
    },
    "/v1/consumers/{name}": {
      parameters: [inPath("name", { type: "string", pattern: CONSUMER_NAME.source })],
      get: {
        operationId: "readConsumer",
        summary: "One named consumer",
        responses: { 200: consumer, ...refusals(400, 401, 403, 404, 503) },
      },
      post: {
        operationId: "acknowledge",
        summary: "Stores that everything up to a cursor was dealt with; never moves back",
        parameters: [
          {
            ...inQuery({ name: "ack", description: "A cursor", schema: { type: "string" } }),
            required: true,
          },
        ],
        responses: { 200: consumer, ...refusals(400, 401, 403, 409, 412, 503) },
      },
      delete: {
        operationId: "forgetConsumer",
        summary: "Forgets a named consumer",
        responses: { 204: { description: "Forgotten" }, ...refusals(400, 401, 403, 404, 503) },
      },
    },
  };
}

function deliveryPaths(): object {
  const name = inPath("name", { type: "string" });
  const text = (parameter: string, description: string) =>
    inQuery({ name: parameter, description, schema: { type: "string" } });
  const now = answer("The delivery as it is now", { "application/json": wireSchema("delivery") });
  const post = (operationId: string, summary: string, ok: object, parameters: object[] = []) => ({
    parameters: [name],
    post: { operationId, summary, parameters, responses: { 200: ok, ...refusals(...ANY_REFUSAL) } },
  });
  const which = [
    inQuery({
      name: "cursor",
      description: "Of a dead letter; repeat it for several",
      schema: { type: "array", items: { type: "string" } },
    }),
    inQuery({ name: "all", description: "All of them", schema: { type: "string", enum: ["true"] } }),
  ];
  const counted = (what: string) =>
    answer("How many", {
      "application/json": { type: "object", required: [what], properties: { [what]: { type: "integer" } } },
    });
  return {
    "/v1/deliveries": {
      get: {
        operationId: "listDeliveries",
        summary: "All deliveries to destinations, and how they go",
        responses: {
          200: answer("Deliveries, by name", { "application/json": wireSchema("deliveries") }),
          ...refusals(401, 403, 503),
        },
      },
    },
    "/v1/deliveries/{name}": {
      parameters: [name],
      get: {
        operationId: "readDelivery",
        summary: "One delivery, with its last attempts",
        responses: { 200: now, ...refusals(401, 403, 404, 503) },
      },
    },
    "/v1/deliveries/{name}/pause": post("pauseDelivery", "Sends nothing until it is resumed", now, [
      text("reason", "Why, for people"),
    ]),
    "/v1/deliveries/{name}/resume": post(
      "resumeDelivery",
      "Sends on after a pause, and at once where the circuit is open",
      now,
    ),
    "/v1/deliveries/{name}/replay": post("replayDelivery", "Sends again what it sent before", now, [
      text("cursor", "From the event after this one on"),
      text("since", "From what was recorded since this time, or so long ago: 10m, 2d"),
    ]),
    "/v1/deliveries/{name}/test": post(
      "testDelivery",
      "Sends an event that is not in the log, once",
      answer("What was sent and what came back", { "application/json": wireSchema("attempt") }),
    ),
    "/v1/deliveries/{name}/dead-letters": {
      parameters: [name],
      get: {
        operationId: "listDeadLetters",
        summary: "The events that the destination would not take",
        parameters: [
          inQuery({ name: "limit", description: "At most so many", schema: { type: "integer", minimum: 1 } }),
          text("after", "Those after the letter with this cursor"),
        ],
        responses: {
          200: answer("Dead letters, oldest first", { "application/json": wireSchema("deadLetters") }, [
            "Link",
          ]),
          ...refusals(400, 401, 403, 404, 503),
        },
      },
    },
    "/v1/deliveries/{name}/dead-letters/retry": post(
      "retryDeadLetters",
      "Sends dead letters once more",
      counted("retried"),
      which,
    ),
    "/v1/deliveries/{name}/dead-letters/drop": post(
      "dropDeadLetters",
      "Forgets dead letters",
      counted("dropped"),
      which,
    ),
  };
}

function silencePaths(): object {
  const text = (name: string, description: string, required = false) => ({
    ...inQuery({ name, description, schema: { type: "string" } }),
    ...(required && { required }),
  });
  const one = (description: string) => answer(description, { "application/json": wireSchema("silence") });
  return {
    "/v1/alert-routes": {
      get: {
        operationId: "readAlertRoutes",
        summary: "The routes of alerts, and who would be told of one",
        parameters: [
          text("alert", "The id of an alert that fires, is pending or ended in the last hour"),
          text("rule", "In place of it: an alert that this rule would make"),
          text("severity", "With rule; default ERROR"),
          text("labels", "With rule: its labels, as namespace=prod,job=web"),
        ],
        responses: {
          200: answer("Routes, in the order in which they are asked", {
            "application/json": wireSchema("alertRoutes"),
          }),
          ...refusals(400, 401, 403, 503),
        },
      },
    },
    "/v1/silences": {
      get: {
        operationId: "listSilences",
        summary: "The silences in force: alerts that nobody is told of for a while",
        responses: {
          200: answer("Silences, oldest first", { "application/json": wireSchema("silences") }),
          ...refusals(400, 401, 403, 503),
        },
      },
      post: {
        operationId: "addSilence",
        summary: "Silences alerts from now on; at least one of filter, rules, minSeverity",
        parameters: [
          text("filter", "Alerts that this expression holds of"),
          text("rules", "Alerts of these rules: names, with * for anything, comma between"),
          text("minSeverity", "Alerts that are at least so severe"),
          text("for", "For so long: 30m, 2h", true),
          text("comment", "Why, for people"),
        ],
        responses: { 200: one("The silence"), ...refusals(400, 401, 403, 422, 503) },
      },
    },
    "/v1/silences/{id}": {
      parameters: [inPath("id", { type: "string" })],
      delete: {
        operationId: "endSilence",
        summary: "Ends a silence before its time",
        responses: { 200: one("The silence as it was"), ...refusals(400, 401, 403, 404, 503) },
      },
    },
  };
}

function otherPaths(): object {
  const json = { "application/json": { type: "object" } };
  const get = (operationId: string, summary: string, content: object = json, responses: object = {}) => ({
    get: { operationId, summary, responses: { 200: answer(summary, content), ...responses } },
  });
  const notYet = { 503: answer("Not now", json) };
  return {
    "/": get("readIndex", "What this server is and where the feed stands; for browsers the web console", {
      ...json,
      "text/html": { type: "string" },
    }),
    "/v1/about": get("readAbout", "What this server is and where the feed stands"),
    "/v1/alerts": get("readAlerts", "What fires now, and what ended in the last hour", {
      "application/json": wireSchema("alerts"),
    }),
    "/v1/assignments": get("readAssignments", "Which process does what", {
      "application/json": wireSchema("assignments"),
    }),
    "/v1/tickets": {
      post: {
        operationId: "issueTicket",
        summary: "A ticket that stands for the token of this request, once, for 30 s",
        responses: {
          200: answer("The ticket", {
            "application/json": {
              type: "object",
              required: ["ticket", "expiresAt"],
              properties: { ticket: { type: "string" }, expiresAt: { type: "string", format: "date-time" } },
            },
          }),
          ...refusals(401, 403, 429, 503),
        },
      },
    },
    "/v1/reload": {
      post: {
        operationId: "reloadConfiguration",
        summary: "Reads the configuration file of this process again; applies it whole, or not at all",
        responses: {
          200: answer("What it did", { "application/json": wireSchema("reload") }),
          ...refusals(400, 401, 403, 422, 503),
        },
      },
    },
    "/v1/openapi.json": get("readOpenApi", "This document"),
    "/v1/asyncapi.json": get("readAsyncApi", "The streams as AsyncAPI 3"),
    "/healthz": get("readHealth", "Whether the process does its work", json, notYet),
    "/readyz": get("readReadiness", "Whether every scope was read at least once", json, notYet),
    "/metrics": get("readMetrics", "Prometheus metrics", { "text/plain": { type: "string" } }),
  };
}

function inQuery({
  name,
  description,
  schema,
}: {
  name: string;
  description: string;
  schema: object;
}): object {
  const isList = "items" in schema;
  // Repeated or comma separated: the document can say one of the two.
  return { name, in: "query", description, schema, ...(isList && { style: "form", explode: false }) };
}

function lastEventId(): object {
  const description = "What a browser's EventSource sends when it comes back; goes before cursor and since";
  return { name: "Last-Event-ID", in: "header", description, schema: { type: "string" } };
}

function eventSchema(...names: string[]): object {
  return names.length === 1 ? wireSchema(names[0] ?? "") : { anyOf: names.map(wireSchema) };
}
