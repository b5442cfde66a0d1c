import { createInterface } from "node:readline";
import { Readable } from "node:stream";

/** What Nomad's own event stream said of one object. */
export interface StreamedEvent {
  readonly topic: string;
  readonly type: string;
  readonly namespace: string;
  readonly key: string;
  readonly index: number;
}

/** Follows `/v1/event/stream` into `events` until `stop`. Resolves when Nomad has acknowledged. */
export async function followEventStream(
  address: string,
): Promise<{ events: StreamedEvent[]; stop: () => void }> {
  const abort = new AbortController();
  const response = await fetch(`${address}/v1/event/stream?namespace=*&topic=*`, { signal: abort.signal });
  if (!response.ok || response.body === null) throw new Error(`event stream: ${response.status}`);
  const events: StreamedEvent[] = [];
  const lines = createInterface({ input: Readable.fromWeb(response.body) });
  lines.on("line", (line) => {
    const frame = JSON.parse(line) as { Index?: number; Events?: Record<string, string>[] };
    for (const event of frame.Events ?? []) {
      events.push({
        topic: event["Topic"] ?? "",
        type: event["Type"] ?? "",
        namespace: event["Namespace"] ?? "",
        key: event["Key"] ?? "",
        index: frame.Index ?? 0,
      });
    }
  });
  lines.on("error", () => undefined);
  return { events, stop: () => abort.abort() };
}
