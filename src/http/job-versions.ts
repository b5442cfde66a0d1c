import type { FastifyInstance } from "fastify";
import type { Access } from "../publishers/selection/access.ts";
import { NoJob } from "../reads/job-versions/errors.ts";
import type { JobVersions } from "../reads/job-versions/job-versions.ts";
import { jsonText } from "../schemas/line-safe.ts";
import { parseJobVersionsQuery, type JobVersionsRequest } from "../schemas/read-queries.ts";
import type { Principals } from "./access/principals.ts";
import { requestUrl } from "./request-url.ts";
import type { UnreadAnswers } from "./unread-answers.ts";

export interface JobVersionsDeps {
  readonly jobVersions: Pick<JobVersions, "read">;
  readonly principals: Pick<Principals, "accessOf" | "askerOf">;
  readonly unread: UnreadAnswers;
}

/** The versions of a job's specification, which no list of Nomad's holds, and what each changed. */
export function addJobVersionsRoute(app: FastifyInstance, deps: JobVersionsDeps): void {
  const { jobVersions, principals, unread } = deps;
  app.get("/v1/job-versions", async (request, reply) => {
    const wanted = parseJobVersionsQuery(requestUrl(request.raw).searchParams);
    const asker = await principals.askerOf(request.raw);
    // Of what belongs to Nomad's own tokens Nomad decides.
    if (asker === "feed") assertMaySee(await principals.accessOf(request.raw), wanted);
    const text = jsonText(await jobVersions.read(wanted, asker));
    unread.holdWhole(reply.raw, Buffer.byteLength(text));
    return reply.type("application/json; charset=utf-8").header("cache-control", "no-store").send(text);
  });
}

function assertMaySee(access: Access, { namespace, job }: JobVersionsRequest): void {
  if (!access.maySee({ resource: "jobs", namespace, key: job })) throw new NoJob(namespace, job);
}
