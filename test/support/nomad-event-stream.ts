import { createInterface } from "node:readline";
import { Readable } from "node:stream";

/** What Nomad's own event stream said of one object. */
export interface StreamedEvent {
  readonly topic: string;
  readonly type: string;
  readonly namespace: string;
  readonly key: string;
  /** What else it can be asked for by: of an evaluation, its job. */
  readonly filterKeys: readonly string[];
  readonly index: number;
}

interface Frame {
  readonly Index?: number;
  readonly Events?: readonly {
    readonly Topic: string;
    readonly Type: string;
    readonly Namespace: string;
    readonly Key: string;
    readonly FilterKeys: readonly string[] | null;
  }[];
}

/** Follows `/v1/event/stream` into `events` until `stop`. Resolves when Nomad has acknowledged. */
export async function followEventStream(
  address: string,
  onEvent: (event: StreamedEvent) => void = () => undefined,
): Promise<{ events: StreamedEvent[]; stop: () => void }> {
  const abort = new AbortController();
  const response = await fetch(`${address}/v1/event/stream?namespace=*&topic=*`, { signal: abort.signal });
  if (!response.ok || response.body === null) throw new Error(`event stream: ${response.status}`);
  const events: StreamedEvent[] = [];
  const lines = createInterface({ input: Readable.fromWeb(response.body) });
  lines.on("line", (line) => {
    const frame = JSON.parse(line) as Frame;
    for (const { Topic, Type, Namespace, Key, FilterKeys } of frame.Events ?? []) {
      const event = {
        topic: Topic,
        type: Type,
        namespace: Namespace,
        key: Key,
        filterKeys: FilterKeys ?? [],
        index: frame.Index ?? 0,
      };
      events.push(event);
      onEvent(event);
    }
  });
  lines.on("error", () => undefined);
  return { events, stop: () => abort.abort() };
}
