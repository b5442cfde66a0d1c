import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { seesAll } from "../publishers/selection/access.ts";
import type { Principals } from "./access/principals.ts";
import { takesEncoding } from "./accepted.ts";
import { Forbidden, NoTrail, NotFound } from "./errors.ts";
import {
  elsewhere,
  readTrailFile,
  trailFileAt,
  type TrailElsewhere,
  type TrailFile,
  type TrailPlace,
} from "./trail-files.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

export interface AuditDeps {
  /** Of this process's configuration, whoever writes them. */
  readonly trails: () => readonly Configured[];
  readonly principals: Pick<Principals, "accessOf" | "authRequired">;
  readonly unread: UnreadAnswers;
}

type Configured = TrailPlace | TrailElsewhere;

const PREFIX = "/v1/audit/";

const CONTENT_TYPES: Record<TrailFile["kind"], string> = {
  checkpoint: "text/plain; charset=utf-8",
  tile: "application/octet-stream",
  entries: "application/octet-stream",
  object: "application/json; charset=utf-8",
};

const compress = promisify(gzip);

/** Audit trails as C2SP tlog-tiles lays them out, and the data of entries that were too large, for who sees all. */
export function addAuditRoutes(app: FastifyInstance, { trails, principals, unread }: AuditDeps): void {
  app.get(`${PREFIX}*`, async (request, reply) => {
    await assertSeesAll(principals, request);
    const { trail, file } = asked(request, trails());
    const bytes = await readTrailFile(trail, file, (size) => unread.holdWhole(reply.raw, size));
    reply.header("cache-control", cacheControl(file, principals.authRequired));
    reply.type(CONTENT_TYPES[file.kind]);
    return file.kind === "entries" ? sendCompressed(request, reply, bytes) : reply.send(bytes);
  });
}

async function assertSeesAll(principals: AuditDeps["principals"], { raw }: FastifyRequest): Promise<void> {
  if (seesAll(await principals.accessOf(raw))) return;
  throw new Forbidden("An audit trail is for who may see the whole feed", {
    hint: "Use a management token of Nomad, or a static token for all namespaces and resources",
  });
}

/** Where one trail is served, its name need not be said. @throws NotFound, NoTrail */
function asked(
  { raw }: FastifyRequest,
  trails: readonly Configured[],
): { trail: TrailPlace; file: TrailFile } {
  // As it was sent: only what is written as the standard writes it is meant.
  const [pathname = ""] = (raw.url ?? "").split("?", 1);
  const path = pathname.slice(PREFIX.length);
  const unnamed = trailFileAt(path);
  if (unnamed !== undefined) return { trail: onlyOne(trails), file: unnamed };
  const [, name = "", rest = ""] = /^([^/]+)\/(.+)$/.exec(path) ?? [];
  const file = trailFileAt(rest);
  if (file === undefined) throw new NotFound(raw.method ?? "GET", pathname);
  const trail = trails.find((one) => one.name === name);
  if (trail === undefined) throw noneNamed(name, trails);
  return { trail: inDirectory(trail), file };
}

function onlyOne(trails: readonly Configured[]): TrailPlace {
  const served = trails.filter(isServed);
  const [trail, ...others] = served.length > 0 ? served : trails;
  if (trail === undefined) {
    const hint = "docs/audit.md says how to begin one";
    throw new NoTrail("The configuration has no destination of the type audit", { hint });
  }
  if (others.length > 0)
    throw new NoTrail(`There are ${others.length + 1} audit trails`, { hint: askFor([trail, ...others]) });
  return inDirectory(trail);
}

/** @throws NoTrail where it is elsewhere */
function inDirectory(trail: Configured): TrailPlace {
  if (isServed(trail)) return trail;
  throw elsewhere(trail);
}

function isServed(trail: Configured): trail is TrailPlace {
  return "directory" in trail;
}

function noneNamed(name: string, trails: readonly Configured[]): NoTrail {
  const asWritten = JSON.stringify(name.slice(0, 100));
  return new NoTrail(`There is no audit trail ${asWritten}`, {
    hint: trails.length === 0 ? "The configuration has none" : askFor(trails),
  });
}

function askFor(trails: readonly Configured[]): string {
  return `Ask for ${trails.map(({ name }) => `${PREFIX}${name}/`).join(" or ")}`;
}

/** Whatever is below a name of a tile never changes. What needed a token is for who asked alone. */
function cacheControl({ kind }: TrailFile, authRequired: boolean): string {
  if (kind === "checkpoint") return "no-cache";
  return `${authRequired ? "private" : "public"}, max-age=31536000, immutable`;
}

async function sendCompressed(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  bytes: Buffer,
): Promise<FastifyReply> {
  reply.raw.appendHeader("vary", "Accept-Encoding");
  if (!takesEncoding(headers["accept-encoding"] ?? "", "gzip")) return reply.send(bytes);
  return reply.header("content-encoding", "gzip").send(await compress(bytes));
}
