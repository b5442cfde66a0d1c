import type * as node from "../../packages/client/src/index.ts";
import type { Outcome, Task } from "./conformance.ts";

/** The TypeScript client over one kind of socket. */
type ClientModule = Pick<
  typeof node,
  | "subscribe"
  | "consume"
  | "watchState"
  | "feedApi"
  | "applyChanges"
  | "undoChanges"
  | "originalText"
  | "StreamRefused"
  | "RequestFailed"
>;

type AnyItem = node.Item<node.TypeName, node.NoticeType, boolean>;
type Options = Record<string, unknown>;

/** Does a task of test/conformance with it. */
export async function doTask(client: ClientModule, task: Task): Promise<Outcome> {
  switch (task.do) {
    case "subscribe":
    case "consume":
      return follow(client, task);
    case "watchState":
      return watch(client, task);
    case "applyChanges":
    case "undoChanges":
      return change(client, task);
    default:
      return read(client, task);
  }
}

async function follow(client: ClientModule, task: Task): Promise<Outcome> {
  const stop = new AbortController();
  const losses: unknown[] = [];
  const options = optionsOf(task, losses, stop.signal);
  const consumption = task.do === "consume" ? client.consume(options as never) : undefined;
  const subscription =
    consumption ?? client.subscribe<node.TypeName, node.NoticeType, boolean>(options as never);
  const items: string[] = [];
  const texts: string[] = [];
  const waitsMs: number[] = [];
  let ended: unknown = "done";
  try {
    for await (const item of subscription as AsyncIterable<AnyItem>) {
      items.push(nameOf(item));
      if (!item.type.startsWith("client.")) texts.push(client.originalText(item));
      if (item.type === "client.disconnected") waitsMs.push(item.retryInMs);
      if (consumption !== undefined && "cursor" in item) await consumption.ack(item.cursor);
      if (items.length === task["leaveAfter"]) {
        ended = "left";
        break;
      }
      if (items.length === task["stopAfter"]) stop.abort();
    }
  } catch (error) {
    ended = refusalOf(client, error);
  }
  return { items, texts, waitsMs, losses, ended, cursor: subscription.cursor };
}

async function watch(client: ClientModule, task: Task): Promise<Outcome> {
  const stop = new AbortController();
  const told: string[] = [];
  const tell = (what: string) => {
    if (told.push(what) === task["stopAfter"]) stop.abort();
  };
  const state = client.watchState({
    ...(optionsOf(task, [], stop.signal) as unknown as node.WatchStateOptions),
    onChange: ({ subject, before, after }) =>
      tell(`${subject} ${before === undefined ? "created" : after === undefined ? "deleted" : "updated"}`),
    onIncomplete: ({ subject, reason }) => tell(`${subject} incomplete: ${reason}`),
  });
  const ended: unknown = await state.ended.then(
    () => "done",
    (error: unknown) => refusalOf(client, error),
  );
  const objects = Object.fromEntries([...state.objects].map(([subject, { stub }]) => [subject, stub]));
  return { told, objects, incomplete: [...state.incomplete.keys()].toSorted(), cursor: state.cursor, ended };
}

async function read(client: ClientModule, task: Task): Promise<Outcome> {
  const api = client.feedApi({ url: task.url });
  const query = task["query"] ?? {};
  try {
    if (task.do === "state") {
      const state = await api.state(query);
      const items: string[] = [];
      for await (const item of state) items.push(nameOf(item));
      return { cursor: state.cursor, items };
    }
    const { events, ...page } = task.do === "events" ? await api.events(query) : await api.history(query);
    return {
      ...page,
      next: page.next ?? null,
      items: events.map(nameOf),
      texts: events.map(client.originalText),
    };
  } catch (error) {
    if (!(error instanceof client.RequestFailed)) throw error;
    const {
      code: reason,
      message,
      hint,
      field,
      allowed,
      nearest,
      position,
      status,
      retryable,
      retryAfterMs,
    } = error;
    const failed = {
      reason,
      message,
      hint,
      field,
      allowed,
      nearest,
      position,
      status,
      retryable,
      retryAfterMs,
    };
    return { failed };
  }
}

function change(client: ClientModule, task: Task): Outcome {
  const object: unknown = JSON.parse(task["object"] as string);
  const changes = JSON.parse(task["changes"] as string) as node.JsonChange[];
  try {
    return { object: client[task.do as "applyChanges" | "undoChanges"](object, changes) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { failed: true };
  }
}

function optionsOf({ url, options = {} }: Task, losses: unknown[], signal: AbortSignal): Options {
  const { tokens, onexpired, ...rest } = options as Options;
  const answers = Array.isArray(onexpired) ? giver(onexpired) : undefined;
  const onExpired = (loss: unknown) => {
    losses.push(loss);
    return answers?.();
  };
  return {
    retry: { baseMs: 1, maxMs: 1 },
    ...rest,
    ...(Array.isArray(tokens) && { token: giver(tokens) }),
    ...(onexpired !== undefined && { onexpired: answers === undefined ? onexpired : onExpired }),
    url,
    signal,
  };
}

/** Gives one after the other, the last one again and again. */
function giver(values: readonly unknown[]): () => unknown {
  let at = 0;
  return () => values[Math.min(at++, values.length - 1)];
}

function refusalOf(client: ClientModule, error: unknown): Outcome {
  if (!(error instanceof client.StreamRefused)) throw error;
  const { reason, message, hint, field, allowed } = error;
  return { reason, message, hint, field, allowed };
}

function nameOf(item: AnyItem): string {
  if (item.type === "client.connected") return item.again ? "connected again" : "connected";
  if ("cursor" in item) return item.cursor;
  if (item.type === "nomad.feed.snapshot") return `snapshot ${item.data.phase}`;
  return "subject" in item ? item.subject : item.type.replace(/^(nomad\.feed|client)\./, "");
}
