import { z } from "zod";
import { auditMarkSchema, detachedDataSchema, type AuditMark } from "../../schemas/audit.ts";
import { memberTexts } from "../../schemas/json-members.ts";
import { isNamed } from "../../schemas/resources.ts";
import { sha256 } from "../../tlog/hash.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import { coloursFor } from "../support/colours.ts";
import { eventLine } from "../support/event-line.ts";
import type { ObjectSelector } from "../support/object-selector.ts";
import type { TrailEntry } from "./verified-entries.ts";

export interface HistoryQuestion {
  readonly object: ObjectSelector;
  /** Absent: in any. */
  readonly namespace?: string;
  /** Recorded since, ms since 1970. Absent: ever. */
  readonly sinceMs?: number;
}

export interface HistoryLine {
  readonly index: number;
  readonly kind: "event" | "gap" | "note";
  /** Of one line, safe for a terminal. */
  readonly text: string;
}

/** The data of an event that was too large for its entry; undefined where it is not kept any more. */
export type ReadObject = (path: string) => Promise<Buffer | undefined>;

const resourceSchema = z.looseObject({
  type: z.string(),
  namespace: z.string(),
  id: z.string(),
  job: z.string().optional(),
  node: z.string().optional(),
});
type Resource = z.infer<typeof resourceSchema>;

const eventSchema = z.looseObject({
  subject: z.string().optional(),
  recordedtime: z.iso.datetime({ offset: true }),
  data: z.looseObject({ resource: resourceSchema.optional() }).optional(),
});
type Event = z.infer<typeof eventSchema>;

const PLAIN = coloursFor({ env: {}, isTTY: false });

/** What a trail says of one object, entry by entry, and of what is missing meanwhile. */
export class ObjectHistory {
  readonly lines: HistoryLine[] = [];
  readonly #question: HistoryQuestion;
  readonly #readObject: ReadObject;
  /** What is missing, or began, right before the next event: whether it is within the time, that tells. */
  #marks: HistoryLine[] = [];

  constructor(question: HistoryQuestion, readObject: ReadObject) {
    this.#question = question;
    this.#readObject = readObject;
  }

  async take({ index, bytes }: TrailEntry): Promise<void> {
    const json = bytes.toString("utf8");
    const value: unknown = JSON.parse(json);
    const mark = auditMarkSchema.safeParse(value);
    if (mark.success) {
      const kind = mark.data.type === "changefeed.audit.gap" ? "gap" : "note";
      this.#marks.push({ index, kind, text: markText(mark.data) });
      return;
    }
    const event = eventSchema.parse(value);
    const isInTime = Date.parse(event.recordedtime) >= (this.#question.sinceMs ?? 0);
    if (isInTime) this.lines.push(...this.#marks);
    this.#marks = [];
    if (isInTime) await this.#tell(index, json, event);
  }

  /** Everything was taken. */
  end(): void {
    this.lines.push(...this.#marks);
    this.#marks = [];
  }

  async #tell(index: number, json: string, event: Event): Promise<void> {
    const detached = detachedDataSchema.safeParse(event);
    if (!detached.success) {
      if (this.#isOf(event)) this.lines.push({ index, kind: "event", text: lineOf(json) });
      return;
    }
    const { dataref, datasha256 } = detached.data;
    const data = await this.#readObject(dataref);
    const isKept = data !== undefined && sha256(data).toString("hex") === datasha256;
    const whole = isKept ? withData(json, data.toString("utf8")) : json;
    const known = isKept ? eventSchema.parse(JSON.parse(whole)) : event;
    if (!this.#isOf(known)) return;
    const lost = isKept ? "" : `  (${plainText(dataref)} is not kept any more, or was changed)`;
    this.lines.push({ index, kind: "event", text: `${lineOf(whole)}${lost}` });
  }

  /** The object itself, and what belongs to a job or a node. */
  #isOf({ subject, data }: Event): boolean {
    const { object, namespace } = this.#question;
    const resource = data?.resource ?? resourceIn(subject);
    if (resource === undefined || (namespace !== undefined && resource.namespace !== namespace)) return false;
    if (object.resource === "jobs" && resource.job === object.key) return true;
    if (object.resource === "nodes" && resource.node?.startsWith(object.key) === true) return true;
    return resource.type === object.resource && isKey(object, resource.id);
  }
}

/** What people name goes by its name; all else by the beginning of an id. */
function isKey({ resource, key }: ObjectSelector, id: string): boolean {
  return isNamed(resource) ? id === key : id.startsWith(key);
}

/** What the envelope of an event says alone. */
function resourceIn(subject = ""): Resource | undefined {
  const [type, namespace, ...id] = subject.split("/");
  if (type === undefined || namespace === undefined || id.length === 0) return undefined;
  return { type, namespace, id: id.join("/") };
}

function withData(json: string, data: string): string {
  const members = memberTexts(json);
  for (const name of ["datasha256", "datasize", "dataref"]) members.delete(name);
  const kept = [...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  return `{${kept.join(",")},"data":${data}}`;
}

function lineOf(json: string): string {
  return eventLine(json, PLAIN);
}

function markText(mark: AuditMark): string {
  switch (mark.type) {
    case "changefeed.audit.genesis":
      return `the trail begins, with event ${mark.firstSeq} of ${plainText(mark.feed)}`;
    case "changefeed.audit.gap":
      return `events ${mark.fromSeq} to ${mark.nextSeq - 1} are missing: ${plainText(mark.reason)}`;
    case "changefeed.audit.epoch":
      return `the log began a new history, ${mark.epoch}, whose next event is ${mark.nextSeq}`;
    default:
      return mark satisfies never;
  }
}
