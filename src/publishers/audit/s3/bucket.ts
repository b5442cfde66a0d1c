import { Agent } from "undici";
import type { Clock } from "../../../shared/clock.ts";
import { deadlineOf } from "../../../shared/clock.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { connectorOf, type ConnectorOptions } from "../../http-client/connector.ts";
import { BucketRefused, BucketUnreachable } from "./errors.ts";
import { signedHeaders, type S3Credentials } from "./signature.ts";

export interface BucketOptions {
  /** Of the store. Default: AWS's in the region. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  /** What the paths are below; empty where it is all of the bucket. */
  readonly prefix: string;
  readonly credentials: S3Credentials;
  readonly connection: ConnectorOptions;
}

export interface BucketDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** What has to hold for an object to be written: that there is none, or that it still is the one with that tag. */
export type Condition = { readonly "if-none-match": "*" } | { readonly "if-match": string };

export interface StoredObject {
  readonly bytes: Buffer;
  /** Its ETag: another one after each change. */
  readonly tag: string;
}

interface Answer extends StoredObject {
  readonly status: number;
}

/** As people know it: "s3://bucket/prefix". */
export function bucketName({
  bucket,
  prefix = "",
}: {
  readonly bucket: string;
  readonly prefix?: string | undefined;
}): string {
  return `s3://${bucket}/${prefix}`.replace(/\/$/, "");
}

const CONNECTIONS = 8;
const WITHIN_MS = 20_000;
const TRIES = 3;
const WAIT_MS = 200;
const NOTHING = Buffer.alloc(0);
const CONFLICT = 409;
const PRECONDITION_FAILED = 412;

/**
 * Objects in a bucket of a store that speaks S3, below a prefix. By paths, as all such stores take them
 * (`https://host/bucket/key`). What may pass by itself is tried three times.
 */
export class Bucket implements AsyncDisposable {
  /** As people know it. */
  readonly name: string;
  readonly #options: BucketOptions;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #agent: Agent;
  readonly #root: URL;
  /** Empty, or ends with a slash. */
  readonly #prefix: string;

  /** @throws what is wrong with the address, or a TLS file */
  constructor(options: BucketOptions, { clock, logger, signal }: BucketDeps) {
    const { bucket, prefix, region, endpoint = `https://s3.${region}.amazonaws.com` } = options;
    this.name = bucketName(options);
    this.#options = options;
    this.#prefix = prefix.replace(/(?<=[^/])$/, "/");
    this.#clock = clock;
    this.#signal = signal;
    this.#root = new URL(`${endpoint.replace(/\/+$/, "")}/${bucket}/`);
    const connect = connectorOf(options.connection, logger);
    this.#agent = new Agent({ connect, connections: CONNECTIONS });
  }

  /** Undefined where there is no such object. */
  async get(path: string): Promise<StoredObject | undefined> {
    const { status, ...found } = await this.#ask("GET", this.#urlOf(path));
    return status === 404 ? undefined : found;
  }

  async has(path: string): Promise<boolean> {
    return (await this.#ask("HEAD", this.#urlOf(path))).status !== 404;
  }

  /** Its tag; undefined where the condition does not hold, and nothing was written. */
  async put(path: string, body: Uint8Array, condition: Condition): Promise<string | undefined> {
    const { status, tag } = await this.#ask("PUT", this.#urlOf(path), { body, headers: condition });
    return status < 300 ? tag : undefined;
  }

  async delete(path: string): Promise<void> {
    await this.#ask("DELETE", this.#urlOf(path));
  }

  /** Paths of all objects whose paths begin so. */
  async *list(beginning: string): AsyncGenerator<string> {
    const prefix = this.#prefix;
    for (let token: string | undefined = ""; token !== undefined;) {
      const url = new URL(this.#root);
      const query = {
        "list-type": "2",
        prefix: prefix + beginning,
        ...(token !== "" && { "continuation-token": token }),
      };
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const text = (await this.#ask("GET", url)).bytes.toString();
      for (const [, key = ""] of text.matchAll(/<Key>([^<]*)<\/Key>/g))
        yield unescaped(key).slice(prefix.length);
      token = /<NextContinuationToken>([^<]+)</.exec(text)?.[1];
      if (token !== undefined) token = unescaped(token);
    }
  }

  /** Ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  #urlOf(path: string): URL {
    return new URL(this.#prefix + path, this.#root);
  }

  /** @throws BucketUnreachable, BucketRefused */
  async #ask(method: Method, url: URL, given: Given = {}): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return this.#accepted(await this.#answer(method, url, given), method, url);
      } catch (error) {
        if (!(error instanceof BucketUnreachable) || tries === TRIES || this.#signal.aborted) throw error;
        await this.#clock.sleep(WAIT_MS * tries, this.#signal);
      }
    }
  }

  async #answer(method: Method, url: URL, { body = NOTHING, headers = {} }: Given): Promise<Answer> {
    const { region, credentials } = this.#options;
    const signed = signedHeaders({ method, url, body, region, nowMs: this.#clock.now() }, credentials);
    using deadline = deadlineOf(this.#clock, WITHIN_MS);
    try {
      const answer = await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { ...signed, ...headers },
        body: method === "PUT" ? body : null,
        signal: AbortSignal.any([this.#signal, deadline.signal]),
      });
      const { etag } = answer.headers;
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      return { status: answer.statusCode, tag: String(etag ?? ""), bytes };
    } catch (error) {
      throw new BucketUnreachable(this.name, error instanceof Error ? error.message : String(error), error);
    }
  }

  #accepted(answer: Answer, method: Method, url: URL): Answer {
    const { status, bytes } = answer;
    if (status < 300 || status === PRECONDITION_FAILED) return answer;
    const text = bytes.toString("utf8", 0, 4096);
    const [code, message] = ["Code", "Message"].map(
      (name) => RegExp(`<${name}>([^<]*)<`).exec(text)?.[1] ?? "",
    );
    if (status === 404 && code !== "NoSuchBucket") return answer;
    if (status === CONFLICT && code === "ConditionalRequestConflict") return answer;
    const says = `${method} ${url.pathname} was answered with ${status} ${code}: ${message}`.slice(0, 500);
    if (status >= 500 || status === 429 || status === 408) throw new BucketUnreachable(this.name, says);
    throw new BucketRefused(this.name, status, says);
  }
}

type Method = "GET" | "HEAD" | "PUT" | "DELETE";

interface Given {
  readonly body?: Uint8Array;
  readonly headers?: Condition | Record<string, never>;
}

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#39);/g, (_, name: string) => ENTITIES.get(name) ?? "");
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["#39", "'"],
]);
