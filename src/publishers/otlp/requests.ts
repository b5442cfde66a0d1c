import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { OtlpSettings } from "../../schemas/destinations/otlp.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import type { Answer } from "../http-client/answer.ts";
import { Endpoint } from "../http-client/endpoint.ts";
import { HttpClient } from "../http-client/http-client.ts";

const CONTENT_TYPES = { protobuf: "application/x-protobuf", json: "application/json" } as const;
const zipped = promisify(gzip);

type RequestSettings = Pick<
  OtlpSettings,
  "endpoint" | "headers" | "encoding" | "compression" | "tls" | "allowPrivate"
>;

/** Requests by OTLP over HTTP to one receiver. */
export class OtlpRequests implements AsyncDisposable {
  /** What may be shown of where they go. */
  readonly origin: string;
  /** What must not be shown. */
  readonly secrets: readonly string[];
  /** Those that are made here; what is configured may be secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #endpoint: Endpoint;
  readonly #client: HttpClient;

  /** `path`: behind the endpoint's own. @throws what is wrong with a secret or a TLS file */
  constructor(
    { endpoint: url, headers, encoding, compression, tls, allowPrivate }: RequestSettings,
    deps: Pick<DestinationDeps, "clock" | "logger" | "readSecret">,
    path = "",
  ) {
    this.#endpoint = new Endpoint({ url, headers }, deps.readSecret);
    if (path !== "") this.#endpoint.url.pathname = `${this.#endpoint.url.pathname.replace(/\/$/, "")}${path}`;
    this.origin = this.#endpoint.origin;
    this.secrets = this.#endpoint.secrets;
    this.headers = {
      "content-type": CONTENT_TYPES[encoding],
      ...(compression === "gzip" && { "content-encoding": "gzip" }),
    };
    this.#client = new HttpClient({ ...tls, allowPrivate }, deps);
  }

  /** Rejects with what kept the answer from coming, and with the signal's reason. */
  async post(body: Uint8Array, signal: AbortSignal): Promise<Answer> {
    const { url, headers } = this.#endpoint;
    const sent = "content-encoding" in this.headers ? await zipped(body) : body;
    return this.#client.ask(
      { url, method: "POST", headers: { ...headers, ...this.headers }, body: sent },
      signal,
    );
  }

  /** Ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
