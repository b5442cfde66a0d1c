import { memberTexts } from "../../schemas/json-members.ts";
import { SEVERITIES } from "../../schemas/severity.ts";
import { spanContextOf } from "../../schemas/traceparent.ts";
import { FixedResource, INSTRUMENTATION } from "../../telemetry/otlp/resource.ts";
import type { Outgoing } from "../delivery/destination.ts";
import type { LogRecord } from "./library.ts";

type Resource = LogRecord["resource"];
type Attributes = LogRecord["attributes"];

/** Events as log records of OpenTelemetry. Those of one namespace are of one resource. */
export class LogRecords {
  readonly #cluster: Attributes;
  readonly #resources = new Map<string | null, Resource>();

  /** `source`: "nomad://prod/global". */
  constructor(source: string) {
    const [, cluster = "", region = ""] = /^nomad:\/\/([^/]*)\/(.*)$/.exec(source) ?? [];
    this.#cluster = { "service.name": "nomad", "nomad.cluster": cluster, "nomad.region": region };
  }

  of(event: Outgoing): LogRecord {
    const envelope = memberTexts(event.json);
    const recorded = stringIn(envelope, "recordedtime");
    const hrTime = hrTimeOf(event.time);
    const trace = spanContextOf(stringIn(envelope, "traceparent"));
    return {
      hrTime,
      hrTimeObserved: recorded === undefined ? hrTime : hrTimeOf(recorded),
      severityNumber: SEVERITIES[event.severity],
      severityText: event.severity,
      eventName: event.type,
      // Whole and as it is: what is larger than stores take as attributes, they take as a body.
      body: event.json,
      attributes: attributesOf(event, envelope),
      ...(trace && { spanContext: { ...trace, traceFlags: 1 } }),
      droppedAttributesCount: 0,
      resource: this.#resourceOf(event.namespace),
      instrumentationScope: INSTRUMENTATION,
    };
  }

  #resourceOf(namespace: string | null): Resource {
    const known = this.#resources.get(namespace);
    if (known !== undefined) return known;
    const resource = new FixedResource({ ...this.#cluster, ...some({ "nomad.namespace": namespace }) });
    this.#resources.set(namespace, resource);
    return resource;
  }
}

/** By the names of OpenTelemetry's semantic conventions, where they have one. */
function attributesOf(event: Outgoing, envelope: ReadonlyMap<string, string>): Attributes {
  const { id, type, resource, key, op, aspect, signals, job, node, cursor } = event;
  return some({
    "log.record.uid": id,
    "cloudevents.event_id": id,
    "cloudevents.event_source": stringIn(envelope, "source"),
    "cloudevents.event_spec_version": "1.0",
    "cloudevents.event_type": type,
    "cloudevents.event_subject": stringIn(envelope, "subject"),
    "nomad.resource": resource,
    "nomad.key": key,
    "nomad.op": op,
    "nomad.aspect": aspect,
    "nomad.signals": signals.length === 0 ? undefined : [...signals],
    "nomad.job": job,
    "nomad.node": node,
    "changefeed.cursor": cursor,
  });
}

/** What there is of these. */
function some(attributes: Readonly<Record<string, string | string[] | null | undefined>>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string | string[]] => entry[1] != null),
  );
}

function stringIn(envelope: ReadonlyMap<string, string>, name: string): string | undefined {
  const text = envelope.get(name);
  return text?.startsWith('"') === true ? String(JSON.parse(text)) : undefined;
}

/** RFC 3339 as seconds since 1970 and nanoseconds. */
function hrTimeOf(time: string): [seconds: number, nanoseconds: number] {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? "";
  return [Math.floor(Date.parse(time) / 1000), Number(fraction.padEnd(9, "0"))];
}
