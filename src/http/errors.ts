import { formatCursor, type Cursor } from "../schemas/cursor.ts";
import { ChangefeedError } from "../schemas/errors.ts";

/** What people can ask this server for. */
export const ROUTES = [
  "GET /",
  "GET /v1/about",
  "GET /v1/events",
  "GET /v1/events/<cursor>",
  "GET /v1/data/<cursor>",
  "GET /v1/state",
  "GET /v1/history",
  "GET /v1/why",
  "GET /v1/counts",
  "GET /v1/job-versions",
  "GET /v1/consumers",
  "GET /v1/consumers/<name>",
  "POST /v1/consumers/<name>",
  "DELETE /v1/consumers/<name>",
  "POST /v1/reload",
  "GET /v1/openapi.json",
  "GET /v1/asyncapi.json",
  "GET /v1/alerts",
  "GET /v1/alert-routes",
  "GET /v1/assignments",
  "GET /v1/silences",
  "POST /v1/silences",
  "DELETE /v1/silences/<id>",
  "GET /v1/deliveries",
  "GET /v1/deliveries/<name>",
  "POST /v1/deliveries/<name>/pause",
  "POST /v1/deliveries/<name>/resume",
  "POST /v1/deliveries/<name>/replay",
  "POST /v1/deliveries/<name>/test",
  "GET /v1/deliveries/<name>/dead-letters",
  "POST /v1/deliveries/<name>/dead-letters/retry",
  "POST /v1/deliveries/<name>/dead-letters/drop",
  "GET /v1/audit/checkpoint",
  "GET /v1/audit/tile/<level>/<tile>",
  "GET /v1/audit/tile/entries/<tile>",
  "GET /v1/audit/objects/<sha256>",
  "GET /v1/audit/<name>/checkpoint",
  "GET /v1/audit/<name>/tile/<level>/<tile>",
  "GET /v1/audit/<name>/tile/entries/<tile>",
  "GET /v1/audit/<name>/objects/<sha256>",
  "GET /healthz",
  "GET /readyz",
  "GET /metrics",
  "POST /v1/tickets",
  "GET /v1/session",
  "POST /v1/session",
  "DELETE /v1/session",
] as const;

export class NotFound extends ChangefeedError {
  readonly code = "NOT_FOUND";
  readonly allowed: readonly string[];
  constructor(
    method: string,
    path: string,
    { allowed = ROUTES, hint }: { allowed?: readonly string[]; hint?: string } = {},
  ) {
    // Without the query, which may hold what nobody else should read.
    const asked = path.split("?", 1)[0]?.slice(0, 100) ?? "";
    super(`There is no ${method} ${asked}`, { hint: hint ?? proxyHint(asked) ?? "See GET / for examples" });
    this.allowed = allowed;
  }
}

/** A proxy passed on a path that only it knows. */
function proxyHint(asked: string): string | undefined {
  const prefix = /^(\/.+?)\/v1\//.exec(asked)?.[1];
  return prefix && `Behind a proxy that serves the feed below ${prefix}, let it cut that off`;
}

export class MethodNotAllowed extends ChangefeedError {
  readonly code = "METHOD_NOT_ALLOWED";
  readonly allowed: readonly string[];
  constructor(method: string, allowed: readonly string[]) {
    super(`This route does not answer ${method.slice(0, 20)}`, { hint: `Use ${allowed.join(" or ")}` });
    this.allowed = allowed;
  }
}

export class UpgradeLost extends ChangefeedError {
  readonly code = "UPGRADE_REQUIRED";
  constructor() {
    super("A WebSocket was asked for without the header Upgrade: a proxy on the way does not pass it on", {
      hint: "Let it pass on Upgrade and Connection, or read the stream as SSE or NDJSON: Accept: text/event-stream, application/x-ndjson",
    });
  }
}

/** Methods of the routes that have this path. */
export function methodsOf(url: string): readonly string[] {
  const path = url.split("?", 1)[0] ?? "";
  return PATTERNS.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
}

const PATTERNS = ROUTES.map((route) => {
  const [method = "", path = ""] = route.split(" ");
  const pattern = path.replaceAll(/<\w+>/g, (name) => (name === "<tile>" ? ".+" : "[^/]+"));
  return { method, pattern: new RegExp(`^${pattern}$`) };
});

export class NoEvent extends ChangefeedError {
  readonly code = "NO_EVENT";
  constructor(cursor: Cursor) {
    super(`There is no event ${formatCursor(cursor)}`, {
      hint: "Every event has its own cursor; it may also be one that your token may not see",
    });
  }
}

export class NoData extends ChangefeedError {
  readonly code = "NO_DATA";
  constructor(cursor: Cursor, head: Cursor) {
    const name = formatCursor(cursor);
    super(
      cursor.sequence > head.sequence || cursor.sequence === 0
        ? `There is no event ${name}; the newest is ${formatCursor(head)}`
        : `Event ${name} holds its data itself`,
      { hint: "Only events with a dataref have data here" },
    );
  }
}

export class NoTrail extends ChangefeedError {
  readonly code = "NO_TRAIL";
}

export class NoConsumer extends ChangefeedError {
  readonly code = "NO_CONSUMER";
  constructor(name: string) {
    super(`There is no consumer ${JSON.stringify(name)}`, {
      hint: "GET /v1/consumers lists them; a stream with consumer=<name> makes one",
    });
  }
}

export class Forbidden extends ChangefeedError {
  readonly code = "FORBIDDEN";
}

export class InsecureListen extends ChangefeedError {
  readonly code = "INSECURE_LISTEN";
  constructor(host: string) {
    super(`Refusing to listen on ${host} without authentication: it is not a loopback address`, {
      hint: "Say who may read it with --auth, listen on 127.0.0.1, or pass --insecure-no-auth to let everybody who reaches this address read the feed",
    });
  }
}

export class ListenFailed extends ChangefeedError {
  readonly code = "LISTEN_FAILED";
  /** @param flag the option that says where to listen */
  constructor(host: string, port: number, cause: unknown, flag = "--listen") {
    const systemCode = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const { reason, hint } = LISTEN_PROBLEMS.get(systemCode) ?? {
      reason: systemCode || "it failed",
      hint: "Choose another address with",
    };
    super(`Cannot listen on ${host}:${port}: ${reason}`, { hint: `${hint} ${flag}`, cause });
  }
}

/** By the system's code. A hint ends before the option. */
const LISTEN_PROBLEMS: ReadonlyMap<string, { reason: string; hint: string }> = new Map(
  Object.entries({
    EADDRINUSE: {
      reason: "the port is in use",
      hint: "Stop the process that holds it, or choose another port with",
    },
    EACCES: {
      reason: "not permitted",
      hint: "Ports below 1024 need privileges; choose another port with",
    },
    EADDRNOTAVAIL: {
      reason: "this machine has no such address",
      hint: "Choose an address of this machine with",
    },
    ENOTFOUND: { reason: "no such host", hint: "Choose an address of this machine with" },
  }),
);
