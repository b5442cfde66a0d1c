import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpServerDeps, HttpServerOptions } from "../../src/http/server.ts";
import type { Authenticator } from "../../src/http/access/identity.ts";
import { NomadTokens, type AskNomad } from "../../src/http/access/nomad-tokens.ts";
import { StaticTokens } from "../../src/http/access/static-tokens.ts";
import { resolveNomadOptions } from "../../src/nomad/options.ts";
import { createSubscriberRights } from "../../src/nomad/subscriber-rights.ts";
import type { EventDraft } from "../../src/schemas/draft.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import type { StateWrite } from "../../src/feed/log.ts";
import { controlDraft, draft, refOf } from "./drafts.ts";
import { TestFeed } from "./http-feed.ts";
import { HttpStream } from "./http-stream.ts";
import { simulatedNomad, type SimulatedNomad } from "./simulated-nomad.ts";
import { WebSocketClient, type ReceivedEvent } from "./websocket-client.ts";

export const NAMESPACES = ["default", "qa-1", "secret"] as const;
const NOUNS = {
  jobs: "job",
  allocations: "allocation",
  deployments: "deployment",
  evaluations: "evaluation",
} as const;

/** The last of every set, which everybody sees. */
export const END = "end";

/** One event of every kind in every namespace, and control events of scopes; ids say which, after `mark`. */
export function everyKind(mark: string): EventDraft[] {
  const overflow = (id: string) => JSON.stringify({ whole: id });
  const change = (id: string, facts: Partial<EventDraft>) =>
    draft({ id: `${mark}${id}`, overflow: overflow(`${mark}${id}`), ...facts });
  const control = (scope: string, facts: Partial<EventDraft>) =>
    controlDraft(`${mark}baseline ${scope}`, "nomad.feed.baseline", facts);
  return [
    ...NAMESPACES.flatMap((namespace) =>
      Object.entries(NOUNS).map(([resource, noun]) =>
        change(`${resource}/${namespace}`, { resource, namespace, key: "k", type: `nomad.${noun}.updated` }),
      ),
    ),
    ...NAMESPACES.map((key) =>
      change(`namespaces/${key}`, {
        resource: "namespaces",
        namespace: "-",
        key,
        type: "nomad.namespace.updated",
      }),
    ),
    change("nodes", { resource: "nodes", namespace: "-", key: "n", type: "nomad.node.updated" }),
    ...NAMESPACES.map((namespace) => control(`jobs/${namespace}`, { resource: "jobs", namespace })),
    control("jobs/*", { resource: "jobs", namespace: "*" }),
    control("allocations/*", { resource: "allocations", namespace: "*" }),
    control("nodes", { resource: "nodes", namespace: "-" }),
    control("namespaces", { resource: "namespaces", namespace: "-" }),
    controlDraft(`${mark}${END}`, "nomad.feed.epoch", { resource: null, namespace: null }),
  ];
}

/** The objects that the events are about, as the state holds them. */
export function everyObject(): StateWrite[] {
  const refs = [
    ...NAMESPACES.flatMap((namespace) =>
      Object.keys(NOUNS).map((resource) => refOf(resource as keyof typeof NOUNS, "k", namespace)),
    ),
    ...NAMESPACES.map((name) => refOf("namespaces", name, "-")),
    refOf("nodes", "n", "-"),
  ];
  return refs.map((ref) => ({ ref, next: { rev: "1", stub: Buffer.from(JSON.stringify({ ID: ref.key })) } }));
}

/** What an object's event is called in `everyKind`. */
export function kindOf(subject: string): string {
  const [resource = "", namespace = "", key = ""] = subject.split("/");
  if (namespace !== "-") return `${resource}/${namespace}`;
  return resource === "nodes" ? resource : `${resource}/${key}`;
}

interface WrittenToken {
  readonly name: string;
  readonly token: string;
  readonly namespaces: readonly string[];
  readonly resources: readonly string[];
  readonly expires?: string;
  readonly management?: "true" | "false";
}

/** A feed whose subscribers are asked who they are: by a simulated Nomad, and by a file of tokens. */
export class AccessFeed implements AsyncDisposable {
  readonly feed: TestFeed;
  readonly nomad: SimulatedNomad;
  readonly tokensFile: string;
  readonly #directory: string;
  readonly #rights: ReturnType<typeof createSubscriberRights>;

  private constructor(feed: TestFeed, nomad: SimulatedNomad, directory: string) {
    this.feed = feed;
    this.nomad = nomad;
    this.#directory = directory;
    this.tokensFile = join(directory, "tokens.yaml");
    this.writeTokens([]);
    this.#rights = createSubscriberRights(
      resolveNomadOptions({ addresses: [nomad.url], requestTimeoutMs: 2000 }),
      {
        logger: silentLogger(),
        clock: systemClock,
      },
    );
  }

  static async open(options: { acl?: boolean } = {}): Promise<AccessFeed> {
    const directory = await mkdtemp(join(tmpdir(), "ncf-access-"));
    const nomad = await simulatedNomad({ acl: options.acl ?? true });
    for (const name of NAMESPACES.slice(1)) nomad.simulator.cluster.createNamespace(name);
    return new AccessFeed(await TestFeed.open(), nomad, directory);
  }

  /** A token of Nomad's with policies of these rules. */
  nomadToken(
    rules: Parameters<SimulatedNomad["simulator"]["acl"]["setPolicy"]>[1],
    expiresAt?: number,
  ): string {
    const { acl } = this.nomad.simulator;
    const name = `policy-${createHash("sha256").update(JSON.stringify(rules)).digest("hex").slice(0, 12)}`;
    acl.setPolicy(name, rules);
    return acl.createToken({ policies: [name], ...(expiresAt !== undefined && { expiresAt }) }).secretId;
  }

  writeTokens(tokens: readonly WrittenToken[]): void {
    const hashed = tokens.map(({ token, ...rest }) => ({
      ...rest,
      sha256: createHash("sha256").update(token).digest("hex"),
    }));
    writeFileSync(this.tokensFile, JSON.stringify({ tokens: hashed }));
  }

  /** What Nomad says of a token. */
  readonly rightsOf: AskNomad = (token, signal) => this.#rights.rightsOf(token, signal);

  authenticators(options: { openWithoutAcls?: boolean } = {}): readonly Authenticator[] {
    const logger = silentLogger();
    return [
      new StaticTokens(this.tokensFile, { logger, clock: systemClock }),
      new NomadTokens(this.rightsOf, {
        logger,
        clock: systemClock,
        openWithoutAcls: options.openWithoutAcls ?? false,
      }),
    ];
  }

  serve(
    options: Partial<HttpServerOptions> = {},
    deps: Partial<HttpServerDeps> = {},
  ): ReturnType<TestFeed["serve"]> {
    return this.feed.serve(options, { authenticators: this.authenticators(), ...deps });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.feed[Symbol.asyncDispose]();
    await this.#rights[Symbol.asyncDispose]();
    await this.nomad[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export const FORMATS = ["page", "ndjson", "sse", "websocket"] as const;
export type FormatName = (typeof FORMATS)[number];
const MEDIA = { ndjson: "application/x-ndjson", sse: "text/event-stream" } as const;

/** A subscriber in any of the formats, as one thing to read events of the log from. */
export interface Reader extends AsyncDisposable {
  /** Ids of the events up to the one whose id ends with `last`. */
  idsUntil(last: string): Promise<string[]>;
}

export async function openReader(
  format: FormatName,
  url: string,
  token: string | undefined,
  cursor: string,
): Promise<Reader> {
  const address = `${url}/v1/events?cursor=${cursor}`;
  if (format === "page") return pageReader(address, token);
  if (format === "websocket") {
    const client = await WebSocketClient.connect(address, [], { headers: bearer(token) });
    await client.next();
    return {
      idsUntil: async (last) => logIds(await client.until((event) => event.id.endsWith(last))),
      [Symbol.asyncDispose]: () => client.close(),
    };
  }
  const stream = await HttpStream.open(address, MEDIA[format], bearer(token));
  await stream.next();
  return {
    idsUntil: async (last) =>
      logIds((await stream.until((event) => event.id.endsWith(last))).map(({ event }) => event)),
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}

function pageReader(address: string, token: string | undefined): Reader {
  let cursor = new URL(address).searchParams.get("cursor") ?? "";
  return {
    idsUntil: async () => {
      const page = new URL(address);
      page.searchParams.set("cursor", cursor);
      page.searchParams.set("limit", "1000");
      const response = await fetch(page, { headers: bearer(token) });
      cursor = response.headers.get("x-changefeed-cursor") ?? "";
      return logIds((await response.json()) as ReceivedEvent[]);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function logIds(events: readonly ReceivedEvent[]): string[] {
  return events.filter(({ cursor }) => cursor !== undefined).map(({ id }) => id);
}
