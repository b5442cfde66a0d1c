import { receivedEvent, type ReceivedEvent } from "./websocket-client.ts";

/** One SSE message, or with only `json` one NDJSON line. */
export interface StreamItem {
  readonly event: ReceivedEvent;
  readonly id?: string;
  readonly name?: string;
}

/** Reads a streamed response, SSE or NDJSON by its content type, message by message. */
export class HttpStream implements AsyncDisposable {
  readonly response: Response;
  readonly #abort: AbortController;
  readonly #items: AsyncGenerator<StreamItem>;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#items = readItems(response);
  }

  static async open(url: string, accept: string, headers: Record<string, string> = {}): Promise<HttpStream> {
    const abort = new AbortController();
    const response = await fetch(url, { headers: { accept, ...headers }, signal: abort.signal });
    return new HttpStream(response, abort);
  }

  /** Undefined at the end of the response. */
  async next(): Promise<StreamItem | undefined> {
    const { done, value } = await this.#items.next();
    return done === true ? undefined : value;
  }

  /** Messages up to and with the first that `isLast`, or to the end of the response. */
  async until(isLast: (event: ReceivedEvent) => boolean): Promise<StreamItem[]> {
    const items: StreamItem[] = [];
    for (let item = await this.next(); item !== undefined; item = await this.next()) {
      items.push(item);
      if (isLast(item.event)) break;
    }
    return items;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
  }
}

async function* readItems(response: Response): AsyncGenerator<StreamItem> {
  const isSse = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const separator = isSse ? "\n\n" : "\n";
  let rest = "";
  const decoder = new TextDecoder();
  if (response.body === null) return;
  for await (const chunk of response.body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(separator);
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const item = isSse ? sseItem(part) : { event: receivedEvent(part) };
      if (item !== undefined) yield item;
    }
  }
}

function sseItem(message: string): StreamItem | undefined {
  const fields = new Map(
    message.split("\n").map((line): [string, string] => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const data = fields.get("data");
  if (data === undefined) return undefined;
  const id = fields.get("id");
  const name = fields.get("event");
  return { event: receivedEvent(data), ...(id !== undefined && { id }), ...(name !== undefined && { name }) };
}
