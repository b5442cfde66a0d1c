import type { ChangeData } from "../../schemas/event-schema.ts";
import { REDACTED } from "../../schemas/redaction-schema.ts";
import { SEVERITIES, type Severity } from "../../schemas/severity.ts";
import { shortened } from "../../shared/quoted.ts";
import { namesOf } from "../../shared/json-pointer.ts";

type Changed = NonNullable<ChangeData["changes"]>[number];

/** What people look at first, best first. */
const TELLING = [
  /^\/ClientStatus$/,
  /^\/Status$/,
  /^\/DesiredStatus$/,
  /^\/Drain$/,
  /^\/SchedulingEligibility$/,
  /^\/Stop$/,
  /^\/DeploymentStatus\/Healthy$/,
  /^\/TaskStates\/[^/]+\/(State|Restarts)$/,
  /^\/TaskGroups\/[^/]+\/(Promoted|HealthyAllocs|UnhealthyAllocs|PlacedAllocs)$/,
  /^\/JobSummary\/Summary\//,
  /^\/StatusDescription$/,
];

/** What changes by the way and says nothing by itself: indexes, times, ids of evaluations. */
const BOOKKEEPING = /\/(\w*Index|\w*Time|LastRestart|StartedAt|FinishedAt|UpdatedAt|Timestamp|\w*EvalID)$/;

/** The one change, or the status, that says most about an event; empty where its signals say it all. */
export function tellingChange(data: ChangeData): string {
  const { op, changes = [], after, before, signals } = data;
  if (op === "version") return overtakenText(data);
  if (op !== "update") return statusOf(after ?? before);
  const telling = changes.filter(({ path }) => !BOOKKEEPING.test(path));
  const candidates = telling.filter(({ from, to }) => isScalar(from) && isScalar(to));
  const best = TELLING.map((path) => candidates.find((change) => path.test(change.path))).find(
    (change) => change !== undefined,
  );
  const bookkeeping = telling.length === 0 && signals.length === 0 ? changes[0] : undefined;
  const shown = best ?? candidates[0] ?? bookkeeping;
  if (shown === undefined) return telling[0] === undefined ? "" : `${pathText(telling[0].path)} changed`;
  const others = telling.length > 1 ? ` (+${telling.length - 1})` : "";
  return `${pathText(shown.path)} ${valueText(shown.from)} → ${valueText(shown.to)}${others}`;
}

/** `version 4, overtaken: web/Count 3 → 4 (+1)`: with the first of what it changed that shows. */
function overtakenText({ version, spec }: ChangeData): string {
  const { changes = [], omitted = 0 } = (spec !== undefined && "diff" in spec && spec.diff) || {};
  const first = changes.find(({ old, new: now }) => old !== REDACTED && now !== REDACTED) ?? changes[0];
  const what = `version ${version}, overtaken`;
  if (first === undefined) return what;
  const others = changes.length + omitted - 1;
  const more = others > 0 ? ` (+${others})` : "";
  return `${what}: ${pathText(first.path)} ${valueText(first.old)} → ${valueText(first.new)}${more}`;
}

const WORDS = /^\/(StatusDescription|ClientDescription|DesiredDescription)$/;
const TASK_EVENT = /^\/TaskStates\/[^/]+\/Events\/\d+$/;

/** Of trouble: what Nomad or the task's driver says about it. */
export function reasonOf({ changes = [], explanation }: ChangeData, severity: Severity): string {
  if (SEVERITIES[severity] < SEVERITIES.WARN) return "";
  if (explanation !== undefined) return shortened(explanation);
  const said = [
    ...changes.filter(({ path, to }) => TASK_EVENT.test(path) && member(to, "Type") === "Terminated"),
    ...changes.filter(({ path }) => TASK_EVENT.test(path)),
    ...changes.filter(({ path }) => WORDS.test(path)),
  ].map(wordsOf);
  return shortened(said.find((text) => text !== "") ?? "");
}

function wordsOf({ to }: Changed): string {
  if (typeof to === "string") return to;
  const message = member(to, "DisplayMessage");
  return typeof message === "string" ? message : "";
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function statusOf(stub: Readonly<Record<string, unknown>> | undefined): string {
  const status = stub?.["ClientStatus"] ?? stub?.["Status"];
  return typeof status === "string" ? status : "";
}

/** `/JobSummary/Summary/web/Running` → `web/Running`: the parts that say something. */
function pathText(path: string): string {
  const dull = ["JobSummary", "Summary", "TaskStates", "TaskGroups"];
  return namesOf(path)
    .filter((name) => !dull.includes(name))
    .join("/");
}

function isScalar(value: unknown): boolean {
  return value === undefined || value === null || typeof value !== "object" || JSON.isRawJSON(value);
}

function valueText(value: unknown): string {
  if (value === undefined) return "∅";
  if (typeof value !== "string") return JSON.stringify(value);
  return value === "" ? '""' : shortened(value);
}
