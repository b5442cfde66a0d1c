import type { Access } from "./http.ts";
import type { SnapshotObject } from "./items.ts";
import { rememberText } from "./original-text.ts";
import type { StateQuery } from "./queries.ts";
import { RequestFailed } from "./request-failed.ts";
import { answerTo, failureOf, orUnreachable } from "./requests.ts";
import type { ConnectionFrame, ResourceType } from "./wire.ts";

const NDJSON = "application/x-ndjson";

/**
 * The objects as the server sends them; holds one piece of the answer at a time. Iterate it once, and soon: the server
 * waits a minute for a reader. `break` ends the request. What does not end with RequestFailed was whole.
 */
export interface StateRead<Type extends ResourceType = ResourceType> extends AsyncIterable<
  SnapshotObject<Type>
> {
  /** Where the objects are true: events after it change them. */
  readonly cursor: string;
}

/** @throws RequestFailed */
export async function readState<Type extends ResourceType>(
  access: Access,
  query: StateQuery<Type>,
): Promise<StateRead<Type>> {
  const response = await answerTo(access, "/v1/state", { accept: NDJSON, query });
  const { body, headers } = response;
  const cursor = headers.get("x-changefeed-cursor");
  if (cursor === null || body === null || headers.get("content-type")?.startsWith(NDJSON) !== true)
    throw failureOf(access, response);
  const objects = objectsIn<Type>(access, response, body);
  return { cursor, [Symbol.asyncIterator]: () => objects };
}

async function* objectsIn<Type extends ResourceType>(
  access: Access,
  response: Response,
  body: NonNullable<Response["body"]>,
): AsyncGenerator<SnapshotObject<Type>, void, undefined> {
  for await (const line of linesOf(access, body)) {
    let item: SnapshotObject<Type> | ConnectionFrame;
    try {
      item = JSON.parse(line) as SnapshotObject<Type> | ConnectionFrame;
    } catch {
      throw failureOf(access, response, line);
    }
    if (item.type === "nomad.feed.error") throw new RequestFailed(item.data, { status: statusOf(item) });
    rememberText(item, line);
    yield item as SnapshotObject<Type>;
  }
}

async function* linesOf(
  access: Access,
  body: NonNullable<Response["body"]>,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await orUnreachable(access, () => reader.read());
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      yield* lines.filter((line) => line !== "");
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** What the answer would have been, had it not begun: close codes from 4400 are statuses plus 4000. */
function statusOf({
  data: { closeCode = 0 },
}: Extract<ConnectionFrame, { type: "nomad.feed.error" }>): number {
  return closeCode >= 4400 ? closeCode - 4000 : 503;
}
