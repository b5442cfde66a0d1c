import { PieceWriter, piecesText, type GoValue, type Piece } from "./go-json.ts";
import { expandCapabilities } from "./acl/capabilities.ts";
import type { PolicyRules } from "./acl/records.ts";
import { currentVersion, fullJob } from "./job-spec.ts";
import { encodeFields, NO_TRANSITION } from "./model/allocation.ts";
import type { Row } from "./store/row.ts";
import { encodeStub } from "./store/tables.ts";

/** The single-object endpoint's JSON: what the list says, and the larger part of what it leaves out. */
export function fullObject(row: Row): string {
  if (isOf(row, "jobs")) return encode(fullJob(currentVersion(row)));
  if (isOf(row, "nodes")) return encode(fullNode(row));
  if (isOf(row, "allocations")) return fullAllocation(row);
  if (isOf(row, "policies")) return encode(fullPolicy(row));
  return row.text;
}

function isOf<T extends Row["table"]>(row: Row, table: T): row is Row<T> {
  return row.table === table;
}

/** What the event stream says of an object: an allocation without its job, deployments and evaluations as listed. */
export function streamedObject(row: Row): Piece[] {
  if (isOf(row, "jobs")) return pieces(fullJob(currentVersion(row)));
  if (isOf(row, "nodes")) return pieces(fullNode(row));
  if (isOf(row, "allocations")) return streamedAllocation(row);
  if (isOf(row, "policies")) return pieces(fullPolicy(row));
  if (isOf(row, "tokens")) return pieces({ ...row.stub, SecretID: "" });
  return encodeStub(row.table, row.stub);
}

function pieces(value: { readonly [field: string]: GoValue }): Piece[] {
  const sorted = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new PieceWriter().value(Object.fromEntries(sorted)).finish();
}

const encode = (value: { readonly [field: string]: GoValue }): string => piecesText(pieces(value));

function fullNode({ stub, model }: Row<"nodes">): { readonly [field: string]: GoValue } {
  const { Address, Version, ...own } = stub;
  const Events = model.events.map(({ index, message, subsystem, timestamp }) => ({
    CreateIndex: index,
    Details: null,
    Message: message,
    Subsystem: subsystem,
    Timestamp: timestamp,
  }));
  return {
    ...own,
    Attributes: new Map([
      ["kernel.name", "linux"],
      ["nomad.version", Version],
      ["unique.hostname", stub.Name],
    ]),
    DrainStrategy: stub.Drain
      ? { Deadline: 3_600_000_000_000, ForceDeadline: null, IgnoreSystemJobs: false }
      : null,
    Events,
    HTTPAddr: `${Address}:4646`,
    Links: new Map(),
    Meta: new Map(),
    SecretID: "",
    TLSEnabled: false,
  };
}

/** The list's text with a few fields more at its end. */
function fullAllocation(row: Row<"allocations">): string {
  const { stub, model } = row;
  const previous = stub.RescheduleTracker?.Events.at(-1)?.PrevAllocID ?? "";
  const more = {
    AllocModifyIndex: model.allocModifyIndex,
    DeploymentID: model.deploymentId,
    Job: null,
    PreviousAllocation: previous,
  };
  return `${row.text.slice(0, -1)},${encode(more).slice(1)}`;
}

/** What the stub says of the job is not in it, and its empty fields are left out. */
function streamedAllocation({ stub, model }: Row<"allocations">): Piece[] {
  const { JobType: _type, JobVersion: _version, TaskStates, ...own } = stub;
  const fields = {
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => !isEmpty(value))),
    AllocModifyIndex: model.allocModifyIndex,
    DeploymentID: model.deploymentId,
    Resources: null,
    SharedResources: null,
    TaskResources: null,
  };
  const sorted = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // By its name it comes last.
  return encodeFields(Object.fromEntries(sorted), TaskStates ?? undefined);
}

function isEmpty(value: GoValue | undefined): boolean {
  return value === null || value === "" || value === NO_TRANSITION;
}

function fullPolicy({ stub, model }: Row<"policies">): { readonly [field: string]: GoValue } {
  return { ...stub, Rules: rulesText(model.rules), RulesJSON: rulesJson(model.rules) };
}

function rulesText(rules: PolicyRules): string {
  const namespaces = Object.entries(rules.namespaces ?? {}).map(([name, rule]) =>
    typeof rule === "string"
      ? `namespace ${JSON.stringify(name)} {\n  policy = "${rule}"\n}`
      : `namespace ${JSON.stringify(name)} {\n  capabilities = ${JSON.stringify(rule)}\n}`,
  );
  const coarse = (["node", "agent"] as const).flatMap((name) => {
    const level = rules[name];
    return level === undefined ? [] : [`${name} {\n  policy = "${level}"\n}`];
  });
  return [...namespaces, ...coarse].join("\n\n");
}

function rulesJson(rules: PolicyRules): GoValue {
  const coarse = (level: string | undefined): GoValue => (level === undefined ? null : { Policy: level });
  return {
    Agent: coarse(rules.agent),
    ExtraKeysHCL: null,
    HostVolumes: null,
    Namespaces: Object.entries(rules.namespaces ?? {}).map(([name, rule]) => ({
      Capabilities: [...expandCapabilities(rule)],
      Name: name,
      Policy: typeof rule === "string" ? rule : "",
      Variables: null,
    })),
    Node: coarse(rules.node),
    NodePools: null,
    Operator: null,
    Plugin: null,
    Quota: null,
    Sentinel: null,
  };
}
