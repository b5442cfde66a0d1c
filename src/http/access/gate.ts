import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { GoingAway } from "../../publishers/connection/errors.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { assertLoopbackName } from "../guard.ts";
import type { Limits } from "./limits.ts";
import { Origins } from "./origins.ts";
import type { Principals } from "./principals.ts";

/** Routes that can be opened to those without a token. */
export type OpenableRoute = "metrics" | "readyz";

export interface GateOptions {
  /** Origins of pages that may read here beside this server's own; "*" for all. */
  readonly allowOrigins?: readonly string[];
  /** Routes that answer without a token too. */
  readonly openRoutes?: readonly OpenableRoute[];
  /** Serves everybody, whatever name they know this server by. */
  readonly insecureNoAuth?: boolean;
}

interface GateDeps {
  readonly principals: Pick<Principals, "accessOf" | "authRequired">;
  readonly limits: Pick<Limits, "accept" | "assertWithin">;
  readonly metrics: Pick<Metrics, "refusals">;
  readonly isStopping: () => boolean;
}

/** What a request is for; an upgrade is for no route. */
interface Target {
  /** The pattern of its route, as `/v1/data/:cursor`. */
  readonly route?: string | undefined;
  /** A browser asks whether a page may send what it wants to: it brings no token. */
  readonly isPreflight?: boolean;
  /** It asks for what holds no data. */
  readonly needsNoToken?: boolean;
}

/** What tells how the process is; answers to its last moment. */
const PROBES: ReadonlySet<string | undefined> = new Set(["/healthz", "/readyz", "/metrics"]);

/**
 * The one way in: requests and upgrades pass the same checks in the same order, before anything looks at what they
 * want.
 */
export class Gate {
  /** What of an answer a browser gives to the page that asked. */
  readonly origins: Origins;
  readonly #deps: GateDeps;
  readonly #openRoutes: ReadonlySet<string | undefined>;
  readonly #answersAnyName: boolean;

  constructor(options: GateOptions, deps: GateDeps) {
    this.#deps = deps;
    this.origins = new Origins(options.allowOrigins ?? []);
    this.#openRoutes = new Set(["/healthz", ...(options.openRoutes ?? []).map((name) => `/${name}`)]);
    this.#answersAnyName = options.insecureNoAuth === true || deps.principals.authRequired;
  }

  /** Counts the server's connections; one too many is closed before anything is read from it. */
  watch(server: Server): void {
    const refused = () => this.#deps.metrics.refusals.inc({ code: "LIMIT" });
    server.on("drop", refused);
    server.on("connection", (socket: Socket) => {
      if (!this.#deps.limits.accept(socket)) refused();
    });
  }

  /** @throws Forbidden, UrlTooLong, LimitReached, GoingAway, and as Principals.accessOf */
  async enter(
    request: IncomingMessage,
    { route, isPreflight = false, needsNoToken = false }: Target = {},
  ): Promise<void> {
    const { limits, isStopping, principals } = this.#deps;
    this.origins.assertAllowed(request);
    limits.assertWithin(request);
    if (!this.#answersAnyName) assertLoopbackName(request);
    if (isPreflight) return;
    if (isStopping() && !PROBES.has(route)) throw new GoingAway();
    if (!needsNoToken && !this.#openRoutes.has(route)) await principals.accessOf(request);
  }
}
