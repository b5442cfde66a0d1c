import { traceparentIn } from "../../schemas/traceparent.ts";
import type { Tracer, TraceSpan } from "../../telemetry/tracing.ts";
import type { Outgoing, SendResult } from "./destination.ts";

/** Whose send it is, and which of the event's it is. */
interface Sending {
  /** Of the destination. */
  readonly name: string;
  readonly target: string;
  /** 1: the first. */
  readonly attempt: number;
}

/** A span of one send, in the trace of the commit that wrote its events; undefined where none of these is recorded. */
export function traceSend(
  tracer: Tracer | undefined,
  batch: readonly Outgoing[],
  { name, target, attempt }: Sending,
): TraceSpan | undefined {
  if (tracer === undefined) return undefined;
  const [first, last] = [batch[0], batch.at(-1)];
  return tracer.follow(
    `send ${name}`,
    batch.flatMap(({ json }) => traceparentIn(json) ?? []),
    {
      kind: "producer",
      attributes: {
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": name,
        "messaging.batch.message_count": batch.length,
        "messaging.message.id": batch.length === 1 ? first?.id : undefined,
        "changefeed.target": target,
        "changefeed.attempt": attempt,
        "changefeed.cursor.first": first?.cursor ?? undefined,
        "changefeed.cursor.last": last?.cursor ?? undefined,
      },
    },
  );
}

/** `result`: undefined where the process stopped before it was known. */
export function endSend(span: TraceSpan | undefined, result: SendResult | undefined): void {
  if (span === undefined) return;
  if (result === undefined) return span.end({ error: { code: "stopped", message: "the process stopped" } });
  span.set({ "http.response.status_code": result.exchange?.status });
  if (result.outcome === "ok") return span.end();
  const code = result.outcome === "retry" ? "retry" : result.why;
  span.end({ error: { code, message: result.reason } });
}
