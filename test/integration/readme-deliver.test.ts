import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { own } from "../support/own-processes.ts";
import { freePort } from "../support/redis-server.ts";
import { logRecordsOf, type LogRecord } from "../support/otlp-logs.ts";
import { until } from "../support/until.ts";
import { WebhookSink } from "../support/webhook-sink.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECTION = /\n## Deliver it\n[^]*?\n```sh\n([^]*?)\n```\n/;

let place: string;
/** A collector. */
let store: WebhookSink;
beforeEach(async () => {
  store = await WebhookSink.start();
  place = mkdtempSync(join(tmpdir(), "ncf-readme-"));
  // A checkout, and what the commands write beside it.
  for (const name of readdirSync(ROOT)) symlinkSync(join(ROOT, name), join(place, name));
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(place, { recursive: true });
});

/** The commands of the page: those up to the last that goes on in the background, and those to look with. */
async function commandsOfThePage() {
  const [nomad, feed, hook] = [await freePort(), await freePort(), await freePort()];
  // A test has no port for itself; all else is as it stands there.
  const text = (SECTION.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1] ?? "")
    .replaceAll("8080", String(hook))
    .replaceAll("http://127.0.0.1:4318", store.url)
    .replaceAll("start -- simulate", `start -- simulate --listen 127.0.0.1:${nomad}`)
    .replaceAll(/start -- deliveries( \w+)*/g, `$& --url http://127.0.0.1:${feed}`);
  const lines = text.split("\n");
  const end = lines.findLastIndex((line) => / &( #.*)?$/.test(line)) + 1;
  const env = { ...process.env, NOMAD_ADDR: `http://127.0.0.1:${nomad}`, NCF_LISTEN: `127.0.0.1:${feed}` };
  return { begin: lines.slice(0, end).join("\n"), look: lines.slice(end), env };
}

test("from nothing to events at a webhook and in a log store, by the commands of the README", async () => {
  const { begin, look, env } = await commandsOfThePage();
  const shell = own(
    spawn("bash", ["-c", `${begin}\nwait`], {
      cwd: place,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    }),
    "the commands of the README",
  );
  let said = "";
  for (const stream of [shell.stdout, shell.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise((resolve) => shell.stdout.once("close", resolve));
  try {
    await until("an event is at the webhook", () => /^\S+Z (WARN|ERROR) nomad\.\w+\.\w+ /m.test(said));
    await until("events are in the log store", () =>
      stored().some(({ severityText }) => severityText === "INFO"),
    );
    const seen: string[] = [];
    for (const command of look)
      seen.push((await promisify(execFile)("bash", ["-c", command], { cwd: place, env })).stdout);
    expect(seen).toEqual([
      expect.stringMatching(/^hook +delivering .*\n^logs +delivering /m),
      expect.stringMatching(/Z {2}ok {2}204 [^]*"type":"nomad\.feed\.test"/),
    ]);
  } catch (cause) {
    throw new Error(`the commands said:\n${said}`, { cause });
  } finally {
    process.kill(-(shell.pid ?? 0), "SIGTERM");
    await ended;
  }
});

function stored(): LogRecord[] {
  return store.taken.flatMap(({ body, headers }) =>
    logRecordsOf(gunzipSync(body), String(headers["content-type"])),
  );
}
