import type { Config } from "../config/config.ts";
import { createJobAuthors } from "../nomad/job-authors.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import { actorFinder } from "../pollers/enrichment/actor-finder.ts";
import { changedVersions, type ReadVersions } from "../pollers/enrichment/changed-versions.ts";
import { logFinder } from "../pollers/enrichment/log-finder.ts";
import { createNodeReader } from "../nomad/node-reader.ts";
import { nodeFinder } from "../pollers/enrichment/node-finder.ts";
import { createTaskLogs } from "../nomad/task-logs.ts";
import { Enricher } from "../pollers/enrichment/enricher.ts";
import type { Finder } from "../pollers/enrichment/finder.ts";
import { specFinder } from "../pollers/enrichment/spec-finder.ts";
import type { Redaction } from "../publishers/redaction/redaction.ts";
import type { EnrichmentName } from "../schemas/enrichment-schema.ts";
import { jobVersionsReaderOf } from "./job-versions.ts";
import type { OpenBridge } from "./open.ts";
import type { Parts } from "./parts.ts";

/** Beside those of the blocking queries, for each thing that is found out. */
const CONNECTIONS = 2;

/** What finds out beside the lists what is asked for; undefined where nothing is. */
export function enricherOf(
  config: Config,
  open: OpenBridge & { readonly redaction: Redaction },
  parts: Parts,
): Enricher | undefined {
  const { loggers, metrics, clock, redaction } = open;
  if (config.enrich.length === 0) return undefined;
  const options = resolveNomadOptions({ ...config.nomad, maxConnections: CONNECTIONS });
  const deps = { logger: loggers.nomad, clock };
  let reads: ReadVersions | undefined;
  const versionsOf = () =>
    (reads ??= changedVersions(jobVersionsReaderOf(config, open, parts), {
      diffs: config.enrich.includes("spec"),
    }));
  const finders: Readonly<Record<EnrichmentName, () => Finder>> = {
    actor: () =>
      actorFinder({
        versionsOf: versionsOf(),
        authors: parts.use(createJobAuthors(options, deps)),
        clock,
      }),
    spec: () =>
      specFinder({
        versionsOf: versionsOf(),
        redact: (namespace, texts) => redaction.texts({ resource: "jobs", namespace }, texts),
      }),
    logs: () =>
      logFinder({
        logs: parts.use(createTaskLogs(options, deps)),
        redact: (namespace, texts) => redaction.texts({ resource: "allocations", namespace }, texts),
        clock,
        logger: loggers.pollers,
      }),
    node: () =>
      nodeFinder({
        nodes: parts.use(createNodeReader(options, deps)),
        redact: (texts) => redaction.texts({ resource: "nodes", namespace: "-" }, texts),
      }),
  };
  const asked = [...new Set(config.enrich)].map((name) => finders[name]());
  return new Enricher({ finders: asked, clock, logger: loggers.pollers, metrics });
}
