/**
 * Receives the events of a webhook destination: checks each signature as Standard Webhooks 1.0 asks, and prints each
 * event once. Needs nothing but Node.
 *
 *     HOOK_SECRET=whsec_… npx --no-install node examples/webhook-receiver.ts --port 8080
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { port: { type: "string", default: "8080" } } });
const secret = process.env["HOOK_SECRET"] ?? "";
if (!secret.startsWith("whsec_")) throw new Error("HOOK_SECRET holds no secret that begins with whsec_");
const key = Buffer.from(secret.slice("whsec_".length), "base64");

/** Five minutes either way, as the libraries have it. */
const TOLERANCE_S = 300;
/** What was seen already. Keep yours where your effects are. */
const seen = new Set<string>();

const server = createServer((request, response) => {
  receive(request, response).catch(() => response.destroy());
});
server.listen(Number(values.port), "127.0.0.1", () => console.log(`listening on ${values.port}`));

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const isGenuine = isSigned(request.headers, body);
  if (isGenuine) take(String(request.headers["webhook-id"]), body);
  // 401, and not 400: the sender then waits for somebody to mend it, and takes no event for poisoned.
  response.writeHead(isGenuine ? 204 : 401).end();
}

function isSigned(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const [id = "", timestamp = "", signatures = ""] = ["id", "timestamp", "signature"].map((name) =>
    String(headers[`webhook-${name}`]),
  );
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_S) return false;
  const expected = Buffer.from(
    `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")}`,
  );
  // Two while the secret is changed.
  return signatures
    .split(" ")
    .map((signature) => Buffer.from(signature))
    .some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
}

function take(id: string, body: Buffer): void {
  if (seen.has(id)) return;
  seen.add(id);
  const event = JSON.parse(body.toString()) as {
    time: string;
    severitytext?: string;
    type: string;
    subject?: string;
  };
  console.log(event.time, event.severitytext ?? "", event.type, event.subject ?? "");
}
