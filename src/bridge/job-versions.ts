import type { Config } from "../config/config.ts";
import type { FeedLog } from "../feed/log.ts";
import { createJobVersionsReader, type JobVersionsReader } from "../nomad/job-versions.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import type { Redaction } from "../publishers/redaction/redaction.ts";
import { JobVersions, type WantedJob } from "../reads/job-versions/job-versions.ts";
import type { OpenBridge } from "./open.ts";
import type { Parts } from "./parts.ts";

/** Beside those of the blocking queries, to each of two: in the feed's name, and in that of others. */
const CONNECTIONS = 2;
const REQUEST_TIMEOUT_MS = 10_000;
/** Several versions with their templates: more than most have, and read in some 50 ms. */
const MAX_BYTES = 8 * 2 ** 20;

export function jobVersionsReaderOf(
  { nomad }: Pick<Config, "nomad">,
  { loggers, clock }: OpenBridge,
  parts: Parts,
): JobVersionsReader {
  const options = resolveNomadOptions({
    ...nomad,
    maxConnections: CONNECTIONS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    maxBodyBytes: MAX_BYTES,
  });
  return parts.use(createJobVersionsReader(options, { logger: loggers.nomad, clock }));
}

export function jobVersionsOf(
  config: Pick<Config, "nomad">,
  open: OpenBridge & { readonly redaction: Redaction },
  parts: Parts,
): JobVersions {
  const { clock, log, redaction } = open;
  const reader = jobVersionsReaderOf(config, open, parts);
  return new JobVersions({
    ask: (request, signal) => reader.read(request, signal),
    knows: (wanted) => hasJob(log, wanted),
    redact: (namespace, texts) => redaction.texts({ resource: "jobs", namespace }, texts),
    maxBytes: MAX_BYTES,
    clock,
  });
}

async function hasJob(log: FeedLog, { namespace, job }: WantedJob): Promise<boolean> {
  await using read = await log.consistentRead();
  for await (const batch of read.entries({ resource: "jobs", namespace, key: job })) {
    if (batch.length > 0) return true;
  }
  return false;
}
