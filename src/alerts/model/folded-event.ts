import type { EventFacts } from "../../schemas/draft.ts";
import { isJsonObject, type Json, type JsonObject } from "../../schemas/json.ts";
import { inside, objectsIn } from "./stub.ts";

/** An event as the log gives it. */
export type LoggedEvent = EventFacts & { readonly json: string };

/** An event on its way into the model. Its JSON is parsed where its facts do not say enough. */
export class FoldedEvent {
  readonly facts: LoggedEvent;
  /** When the feed saw it, ms. */
  readonly at: number;
  #data: JsonObject | undefined;

  /** `at`: when it counts, where that is not when whoever read it saw it. */
  constructor(facts: LoggedEvent, at = recordedAt(facts.json)) {
    this.facts = facts;
    this.at = at;
  }

  get data(): JsonObject {
    return (this.#data ??= dataOf(this.facts.json));
  }

  /** The object as it is; undefined where it is gone, and where the event was too large to hold it. */
  get after(): JsonObject | undefined {
    const after = this.data["after"];
    return isJsonObject(after) ? after : undefined;
  }

  /** What the member of its object at this place became; undefined where the event tells of no such change. */
  changed(path: string): Json | undefined {
    return objectsIn(this.data["changes"]).find((change) => change["path"] === path)?.["to"];
  }

  get namespace(): string {
    return this.facts.namespace ?? "-";
  }

  get key(): string {
    return this.facts.key ?? "";
  }

  /** Whether it says what happened between two polls of which the first was not long ago. */
  get isLive(): boolean {
    return inside(this.data, "observed", "mode") === "live";
  }

  has(...signals: readonly string[]): boolean {
    return signals.some((signal) => this.facts.signals.includes(signal));
  }
}

/** Within a text, quotes are escaped: it can be nothing else. */
const RECORDED = '"recordedtime":"';

function recordedAt(json: string): number {
  const begin = json.indexOf(RECORDED) + RECORDED.length;
  const time = Date.parse(json.slice(begin, json.indexOf('"', begin)));
  if (Number.isNaN(time)) throw new TypeError("an event of the log has a recordedtime");
  return time;
}

/** Numbers that JSON.parse rounds are times in nanoseconds, which nothing here reads. */
function dataOf(json: string): JsonObject {
  const { data } = JSON.parse(json) as { data?: JsonObject };
  return data ?? {};
}
