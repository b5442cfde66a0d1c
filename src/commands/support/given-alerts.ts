import { readFileSync } from "node:fs";
import { alertSchema, plainAlert, type AlertJson } from "../../schemas/alert-schema.ts";
import { controlEventSchema } from "../../schemas/control-schema.ts";
import type { EventFacts } from "../../schemas/draft.ts";
import { changeEventSchema, type ChangeEvent } from "../../schemas/event-schema.ts";
import { UsageError } from "./usage-error.ts";

/** An event with what the feed knows of it besides its text. */
export type GivenEvent = EventFacts & { readonly json: string };

export interface GivenThings {
  readonly alerts: AlertJson[];
  readonly events: GivenEvent[];
}

/** What suffices of an alert. */
const shortAlertSchema = alertSchema.partial().required({ rule: true, severity: true, labels: true });

/**
 * Alerts and events of a file: one of them as JSON, a list, one a line, or what `alerts --json` prints.
 * @throws UsageError
 */
export function thingsIn(path: string, nowMs: number): GivenThings {
  const things = valuesOf(read(path), path).map((value, at) =>
    thingOf(value, `${path}: number ${at + 1}`, nowMs),
  );
  return {
    alerts: things.flatMap((thing) => ("rule" in thing ? [thing] : [])),
    events: things.flatMap((thing) => ("rule" in thing ? [] : [thing])),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`The file ${path} cannot be read: ${(error as Error).message}`);
  }
}

function valuesOf(text: string, path: string): unknown[] {
  const whole = parsed(text);
  if (whole !== undefined) return flat(whole);
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .flatMap((line, at) => {
      const value = parsed(line);
      if (value === undefined) throw new UsageError(`${path}, line ${at + 1}: this is not JSON`);
      return flat(value);
    });
}

function flat(value: unknown): unknown[] {
  if (typeof value === "object" && value !== null && "alerts" in value) return [value.alerts].flat();
  return [value].flat();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function thingOf(value: unknown, where: string, nowMs: number): AlertJson | GivenEvent {
  const alert = shortAlertSchema.safeParse(value);
  if (alert.success) return { ...plainAlert(nowMs), id: alert.data.rule, ...alert.data } as AlertJson;
  const change = changeEventSchema.safeParse(value);
  if (change.success) return { ...factsOf(change.data), json: JSON.stringify(value) };
  const control = controlEventSchema.safeParse(value);
  if (control.success) {
    const { data } = control.data;
    const scope = "scope" in data ? data.scope : null;
    const { resource = null, namespace = null } = scope ?? {};
    const nothing = { key: null, op: null, aspect: null, signals: [], job: null, node: null };
    return { ...nothing, ...attributesOf(control.data), resource, namespace, json: JSON.stringify(value) };
  }
  const isEvent = typeof value === "object" && value !== null && "specversion" in value;
  const { issues } = isEvent ? change.error : alert.error;
  const [issue] = issues;
  throw new UsageError(`${where}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "cannot be read"}`, {
    hint: "An alert has at least rule, severity and labels; an event is as `tail --json` prints it",
  });
}

function factsOf(event: ChangeEvent): EventFacts {
  const { op, aspect, signals, resource } = event.data;
  const { type, namespace, id: key, job = null, node = null } = resource;
  return { ...attributesOf(event), op, aspect, signals, resource: type, namespace, key, job, node };
}

function attributesOf({
  id,
  type,
  severitytext,
  time,
}: Pick<ChangeEvent, "id" | "severitytext" | "time"> & { type: string }) {
  return { id, type, severity: severitytext, time };
}
