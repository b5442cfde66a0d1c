import { jsonText } from "../../src/schemas/line-safe.ts";
import { SEVERITIES } from "../../src/schemas/severity.ts";
import type { Outgoing } from "../../src/publishers/delivery/destination.ts";

/** An event as it leaves, of job `job`; each number another event. */
export function outgoing(
  number: number,
  fields: Partial<Outgoing> & { readonly data?: object } = {},
): Outgoing {
  const { data = { op: "update", number }, ...rest } = fields;
  const job = rest.job ?? "web";
  const facts = {
    id: `0/jobs/default/${job}@${number}`,
    type: "nomad.job.updated",
    resource: "jobs",
    namespace: "default",
    key: job,
    op: "update",
    aspect: "status",
    signals: [],
    severity: "INFO",
    job,
    node: null,
    time: "2026-11-23T15:14:58.362705Z",
    sequence: number,
    cursor: `reg100-${number}`,
    subject: `jobs/default/${job}`,
    ...rest,
  } satisfies Partial<Outgoing>;
  return { ...facts, json: rest.json ?? envelope(facts, data) };
}

function envelope(facts: Omit<Outgoing, "json">, data: object): string {
  return jsonText({
    specversion: "1.0",
    id: facts.id,
    source: "nomad://prod/global",
    type: facts.type,
    subject: facts.subject,
    time: facts.time,
    datacontenttype: "application/json",
    severitytext: facts.severity,
    severitynumber: SEVERITIES[facts.severity],
    partitionkey: facts.subject,
    sequence: String(facts.sequence).padStart(16, "0"),
    cursor: facts.cursor,
    data,
  });
}
