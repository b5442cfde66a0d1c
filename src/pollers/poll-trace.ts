import type { Scope } from "../schemas/scope.ts";
import { spanErrorOf, type Tracer, type TraceSpan } from "../telemetry/tracing.ts";
import type { Observation } from "./observe.ts";

/**
 * The trace of a poll that found something, from when Nomad began to answer: a query that Nomad holds and ends without
 * news, of which there are thousands an hour, leaves none. Undefined where it is not recorded.
 */
export function tracePoll(
  tracer: Tracer | undefined,
  scope: Scope,
  observation: Observation,
  nowMs: number,
): TraceSpan | undefined {
  const { changes, restored, readMs, arrivedAtMs, bytes, index, hinted } = observation;
  if (tracer === undefined || (changes.length === 0 && restored === null)) return undefined;
  const beganAtMs = arrivedAtMs - readMs;
  const poll = tracer.begin(`poll ${scope.resource}`, {
    beganAtMs,
    attributes: {
      ...attributesOf(scope),
      "nomad.index": index,
      "changefeed.reading": hinted === null ? "list" : "hint",
      "changefeed.changes": changes.length,
    },
  });
  poll
    ?.child("read", { kind: "client", beganAtMs, attributes: { "http.response.body.size": bytes } })
    .end({ atMs: arrivedAtMs });
  poll?.child("diff", { beganAtMs: arrivedAtMs }).end({ atMs: nowMs });
  return poll;
}

/** The trace of a poll that failed. */
export function traceFailedPoll(
  tracer: Tracer | undefined,
  scope: Scope,
  error: unknown,
  beganAtMs: number,
): void {
  tracer
    ?.begin(`poll ${scope.resource}`, { beganAtMs, attributes: attributesOf(scope) })
    ?.end({ error: spanErrorOf(error) });
}

function attributesOf({ resource, namespace }: Scope) {
  return { "nomad.resource": resource, "nomad.namespace": namespace };
}
