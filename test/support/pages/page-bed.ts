import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { placesOf } from "../../../src/commands/completion/places.ts";
import { startBridgeProcess, type BridgeProcess } from "../bridge-process.ts";
import { builtProgram } from "../cli.ts";
import { RedisServer, redisMissing } from "../redis-server.ts";
import { simulatedNomad, type SimulatedNomad } from "../simulated-nomad.ts";
import { until } from "../until.ts";
import { WebhookSink } from "../webhook-sink.ts";
import { blocksIn, ROOT } from "./pages.ts";
import type { Place } from "./typed.ts";

const PROGRAM = "node --disable-warning=ExperimentalWarning";
/** How the pages call the program. */
const CALL = /(?:nomad-changefeed|npm run --silent start --) (.*)/;
/** Lines that start a feed or a cluster of their own, or look whether they could. */
const STARTS = /(?:start --|nomad-changefeed) (?:run|simulate|doctor)\b/;

const places = placesOf(builtProgram());

interface Event {
  readonly subject: string;
  readonly cursor: string;
  readonly data: { readonly after?: Readonly<Record<string, unknown>> };
}

/** A cluster and a feed of it with all that the pages take for granted: a reader's own in place of their examples. */
export class PageBed implements AsyncDisposable {
  readonly #place: string;
  readonly #nomad: SimulatedNomad;
  readonly #hook: WebhookSink;
  readonly #redis: RedisServer | undefined;
  readonly #bridge: BridgeProcess;
  readonly #url: string;
  readonly #churn: NodeJS.Timeout;
  #runs = 0;
  /** How many asked that nothing changes. */
  #still = 0;

  private constructor(given: {
    place: string;
    nomad: SimulatedNomad;
    hook: WebhookSink;
    redis: RedisServer | undefined;
    bridge: BridgeProcess;
    url: string;
  }) {
    this.#place = given.place;
    this.#nomad = given.nomad;
    this.#hook = given.hook;
    this.#redis = given.redis;
    this.#bridge = given.bridge;
    this.#url = given.url;
    this.#churn = setInterval(() => this.#still === 0 && given.nomad.simulator.churn(1), 100);
  }

  static async open(): Promise<PageBed> {
    const place = mkdtempSync(join(tmpdir(), "ncf-pages-"));
    for (const name of readdirSync(ROOT)) symlinkSync(join(ROOT, name), join(place, name));
    // As npm would have put it there.
    const program = join(place, "nomad-changefeed");
    writeFileSync(program, `#!/bin/sh\nexec ${PROGRAM} ${join(ROOT, "src/main.ts")} "$@"\n`);
    chmodSync(program, 0o755);
    const nomad = await simulatedNomad({ allocations: 60, seed: 1 });
    const hook = await WebhookSink.start();
    writeFiles(place, hook.url);
    const redis = redisMissing() === undefined ? await RedisServer.start() : undefined;
    const bridge = startBridgeProcess({
      nomadAddr: nomad.url,
      feed: `sqlite:${join(place, "feed.db")}`,
      flags: ["--config", join(place, "feed.yaml")],
      env: { OPS_WEBHOOK_URL: `${hook.url}/ops`, HOME: place },
    });
    await bridge.ready();
    const url = await bridge.url();
    const bed = new PageBed({ place, nomad, hook, redis, bridge, url });
    bed.#refuseSome();
    nomad.simulator.churn(500);
    await until("there is something of all that the pages ask for", () => bed.#letter());
    for (const of of [
      "types=nodes",
      "types=jobs",
      "types=allocations&filter=ClientStatus%20==%20%22failed%22",
    ])
      await until(`the log knows ${of} of a second ago`, () => bed.#wasThere(of));
    return bed;
  }

  /** Where a line is typed. What it starts has a log of its own, and any port. */
  place(line: string): Place {
    const isOwn = STARTS.test(line);
    return {
      cwd: this.#place,
      env: {
        PATH: `${this.#place}:${join(ROOT, "node_modules/.bin")}:${process.env["PATH"]}`,
        HOME: this.#place,
        NO_COLOR: "1",
        TOKEN: "a-token-of-nobody",
        OPS_WEBHOOK_URL: `${this.#hook.url}/ops`,
        NOMAD_ADDR: this.#nomad.url,
        NCF_FEED: `sqlite:${join(this.#place, isOwn ? `own-${(this.#runs += 1)}.db` : "feed.db")}`,
        ...(isOwn && { NCF_LISTEN: "127.0.0.1:0", NCF_COMPAT_LISTEN: "127.0.0.1:0" }),
      },
    };
  }

  /** Nothing changes in the cluster until it is disposed of. */
  standStill(): Disposable {
    this.#still += 1;
    return { [Symbol.dispose]: () => (this.#still -= 1) };
  }

  /** The line as a reader would type it here: with addresses, names and ids of his own. */
  async here(line: string): Promise<string> {
    let text = withAddress(line, this.#url);
    for (const [pattern, own] of this.#own)
      if (text.search(pattern) !== -1) text = text.replaceAll(pattern, await own());
    return text;
  }

  readonly #own: readonly (readonly [RegExp, () => Promise<string> | string])[] = [
    [/http:\/\/127\.0\.0\.1:4650|https:\/\/feed\.example/g, () => this.#url],
    [/https:\/\/nomad\.example:4646/g, () => this.#nomad.url],
    [/redis:\/\/(?::password@)?redis\.example:6379/g, () => this.#redis?.url ?? ""],
    [/\/run\/secrets\/nomad-token/g, () => join(this.#place, "token")],
    [/\/var\/lib\/nomad-audit/g, () => join(this.#place, "trail")],
    [/0\.0\.0\.0:4650/g, () => "127.0.0.1:0"],
    [/ simulate\b/g, () => " simulate --listen 127.0.0.1:0"],
    [/ run …/g, () => ` run --feed ${this.#redis?.url}?feed=jq --workers redis --log-level debug`],
    // It fills a buffer first where it does not write to a terminal.
    [/\bjq -c/g, () => "jq --unbuffered -c"],
    [/<pid>/g, () => String(this.#bridge.child.pid)],
    // The log here is as old as this run of the test.
    [/(?<=--at |[?&]at=)(?:\d+[mh]|2026[\d:TZ-]+)/g, () => "1s"],
    [/--namespace prod/g, () => "--namespace default"],
    [/5456bd7a-[\w-]+/g, () => this.#key("allocations", 'ClientStatus == "running"')],
    [/5456bd7a/g, async () => (await this.#key("allocations", 'ClientStatus == "running"')).slice(0, 8)],
    [/(?<=deployment )web --job-version 4/g, () => this.#version()],
    [/(?<=job[/=])web(?:-3)?(?![\w-])/g, () => this.#key("jobs", 'Status == "running"')],
    [/(?<=job == )web/g, async () => `"${await this.#key("jobs", 'Status == "running"')}"`],
    [/<cursor>/g, async () => (await this.#ask<Event[]>("/v1/events?limit=1"))[0]?.cursor ?? ""],
    [/reg100-154/g, () => until("there is a dead letter", () => this.#letter())],
    [/5f0c21ab/g, () => this.#silence()],
  ];

  async #version(): Promise<string> {
    const after = await until("there is a deployment that the log and the cluster know", async () => {
      const { data, subject } = await this.#one("deployments", 'Status == "successful"');
      const response = await fetch(`${this.#nomad.url}/v1/deployments?prefix=${subject.split("/")[2]}`);
      return ((await response.json()) as unknown[]).length > 0 ? data.after : undefined;
    });
    return `${String(after["JobID"])} --job-version ${String(after["JobVersion"])}`;
  }

  async #key(type: string, filter: string): Promise<string> {
    return (await this.#one(type, filter)).subject.split("/")[2] ?? "";
  }

  async #silence(): Promise<string> {
    return (await this.#ask<{ silences: { id: string }[] }>("/v1/silences")).silences[0]?.id ?? "";
  }

  async #one(types: string, filter: string): Promise<Event> {
    const query = new URLSearchParams({ types, namespaces: "default", filter });
    const newest = new URLSearchParams({ types, namespaces: "default", order: "newest-first", limit: "500" });
    return until(`there is one of ${types} that the log knows`, async () => {
      const known = new Set(
        (await this.#ask<Event[]>(`/v1/events?${newest.toString()}`)).map(({ subject }) => subject),
      );
      return (await this.#ask<Event[]>(`/v1/state?${query.toString()}`)).find(({ subject }) =>
        known.has(subject),
      );
    });
  }

  async #letter(): Promise<string | undefined> {
    const { deadLetters } = await this.#ask<{ deadLetters: { cursor: string }[] }>(
      "/v1/deliveries/ops-webhook/dead-letters",
    );
    return deadLetters[0]?.cursor;
  }

  async #wasThere(of: string): Promise<boolean> {
    const response = await fetch(`${this.#url}/v1/state?${of}&at=1s`);
    return response.ok && ((await response.json()) as unknown[]).length > 0;
  }

  async #ask<Body>(path: string): Promise<Body> {
    const response = await fetch(this.#url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Body;
  }

  /** Every third event, for good: so that there are dead letters. What a person sends to try it is taken. */
  #refuseSome(): void {
    let asked = 0;
    this.#hook.answer = (response, { path, body }) => {
      const isEvent = path === "/ops" && !body.includes("nomad.feed.test");
      if (isEvent) asked += 1;
      response.writeHead(isEvent && asked % 3 === 0 ? 400 : 200).end();
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#churn);
    await this.#bridge.stop();
    await this.#nomad[Symbol.asyncDispose]();
    await this.#hook[Symbol.asyncDispose]();
    await this.#redis?.[Symbol.asyncDispose]();
    rmSync(this.#place, { recursive: true });
  }
}

/** `--url`, where the command has that flag and the page does not say which. */
function withAddress(line: string, url: string): string {
  const words = (CALL.exec(line)?.[1] ?? "").split(/ +/);
  const path = [...words.keys()]
    .map((end) => words.slice(0, words.length - end).join(" "))
    .find((each) => places.some((place) => place.path === each));
  const takesUrl = places.find((place) => place.path === path)?.flags.some(({ name }) => name === "--url");
  if (path === undefined || takesUrl !== true || line.includes("--url")) return line;
  return line.replace(CALL, (call) => call.replace(path, () => `${path} --url ${url}`));
}

/** What the pages refer to: the configuration made of what they show, and files that a reader would have. */
function writeFiles(place: string, hook: string): void {
  const shown = (page: string, section: string) =>
    blocksIn(page, "yaml")
      .map(({ text }) => parse(text) as Record<string, unknown>)
      .find((file) => section in file)?.[section];
  const destinations = shown("docs/deliveries.md", "destinations") as Record<string, object>;
  const slack = { type: "slack", webhook: "file:hook-url", allowPrivate: true };
  const config = {
    destinations: {
      ...destinations,
      "ops-webhook": { ...destinations["ops-webhook"], secrets: "file:secret", allowPrivate: true },
      logs: { ...destinations["logs"], endpoint: `${hook}/v1/logs`, allowPrivate: true },
      audit: { type: "audit", directory: join(place, "trail"), key: `file:${join(place, "audit.key")}` },
      ...Object.fromEntries(["pager", "ops-slack", "ops-pager"].map((name) => [name, slack])),
    },
    routes: shown("docs/alerting.md", "routes"),
    alerts: shown("docs/alerting.md", "alerts"),
  };
  const text = stringify(config).replaceAll(
    /file:(hook-url|secret)/g,
    (_, name: string) => `file:${join(place, name)}`,
  );
  writeFileSync(join(place, "feed.yaml"), text);
  writeFileSync(join(place, "hook-url"), `${hook}/chat`);
  writeFileSync(join(place, "secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  writeFileSync(join(place, "token"), "a-token-of-nobody");
  const alert = { rule: "JobFailing", severity: "ERROR", labels: { namespace: "prod", job: "web" } };
  writeFileSync(join(place, "alerts.json"), JSON.stringify({ alerts: [alert] }));
  const key = [
    "-c",
    `${PROGRAM} src/main.ts audit keygen example.com/nomad --out audit.key >audit.vkey && mkdir trail`,
  ];
  execFileSync("bash", key, { cwd: place });
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=feed",
      "-keyout",
      "feed.key",
      "-out",
      "feed.pem",
    ],
    { cwd: place, stdio: "ignore" },
  );
}
