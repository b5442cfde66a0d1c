import { Webhook } from "standardwebhooks";
import { openDestination } from "../../../src/publishers/destinations.ts";
import { webhookSettingsSchema } from "../../../src/schemas/destinations/webhook.ts";
import { jsonText } from "../../../src/schemas/line-safe.ts";
import { status, WebhookSink, type Answer, type Received } from "../../support/webhook-sink.ts";
import { destinationContract, type Arrived, type Counterpart } from "./register-destination.ts";

const KEY = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BEHIND: Readonly<Record<string, string>> = {
  "env:HOOK_SECRET": `whsec_${KEY}`,
  "env:HOOK_TOKEN": "Bearer 0b31a77e-not-for-your-eyes",
  "env:HOOK_PATH": "T02ABCDE/B03FGHIJ/xoxb-secret-path",
};

/** How the body of each format holds events. */
const FORMATS: Readonly<Record<string, (request: Received) => Arrived[]>> = {
  structured: ({ body }) => [arrived(body.toString())],
  batched: ({ body }) => (JSON.parse(body.toString()) as object[]).map((event) => arrived(jsonText(event))),
  binary: ({ headers }) => [{ id: decodeURIComponent(String(headers["ce-id"])) }],
};

for (const [format, eventsOf] of Object.entries(FORMATS)) {
  destinationContract(`a webhook (${format})`, () => start(format, eventsOf));
}

async function start(format: string, eventsOf: (request: Received) => Arrived[]): Promise<Counterpart> {
  const sink = await WebhookSink.start();
  const url = `${sink.url}/${BEHIND["env:HOOK_PATH"]}`;
  const held: (() => void)[] = [];
  const refuse = (code: number, headers?: Record<string, string>) => async () => {
    sink.answer = repeating(code, headers);
  };
  sink.answer = repeating(200);
  return {
    open: (deps) => {
      const settings = webhookSettingsSchema.parse({
        type: "webhook",
        url: "env:HOOK_URL",
        format,
        headers: { Authorization: "env:HOOK_TOKEN" },
        secrets: "env:HOOK_SECRET",
        allowPrivate: true,
      });
      const readSecret = (reference: string) =>
        reference === "env:HOOK_URL" ? url : (BEHIND[reference] ?? "");
      return openDestination(settings, { ...deps, readSecret });
    },
    received: async () => {
      for (const { body, headers } of sink.taken)
        new Webhook(BEHIND["env:HOOK_SECRET"] ?? "").verify(body, headers as Record<string, string>);
      return sink.taken.flatMap(eventsOf);
    },
    refusals: [
      { name: "400", arrange: refuse(400), outcome: "refused", why: "poison" },
      { name: "401", arrange: refuse(401), outcome: "refused", why: "forbidden" },
      { name: "403", arrange: refuse(403), outcome: "refused", why: "forbidden" },
      { name: "404", arrange: refuse(404), outcome: "refused", why: "config" },
      { name: "408", arrange: refuse(408), outcome: "retry" },
      { name: "410", arrange: refuse(410), outcome: "refused", why: "gone" },
      { name: "413", arrange: refuse(413), outcome: "refused", why: "too-large" },
      { name: "422", arrange: refuse(422), outcome: "refused", why: "poison" },
      { name: "429", arrange: refuse(429), outcome: "retry" },
      { name: "500", arrange: refuse(500), outcome: "retry" },
      { name: "301", arrange: refuse(301, { location: "/" }), outcome: "refused", why: "config" },
    ],
    hang: async () => {
      sink.answer = (response) => void held.push(() => response.writeHead(500).end());
    },
    goAway: () => sink.leave(),
    comeBack: async () => {
      sink.answer = repeating(200);
      for (const answer of held.splice(0)) answer();
      await sink.comeBack();
    },
    secrets: [...Object.values(BEHIND), KEY, "xoxb-secret-path", "0b31a77e-not-for-your-eyes"],
    connections: async () => sink.open(),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

/** Its answer repeats what it was sent, as some do. */
function repeating(code: number, headers?: Record<string, string>): Answer {
  return (response, request) => status(code, headers, JSON.stringify(request))(response, request);
}

function arrived(json: string): Arrived {
  return { id: (JSON.parse(json) as { id: string }).id, json };
}
