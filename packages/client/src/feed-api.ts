import type {
  About,
  AlertRoutes,
  Session,
  Alerts,
  Assignment,
  Attempt,
  Consumer,
  Counts,
  DeadLetter,
  Delivery,
  DeliveryDetails,
  JobVersions,
  Silence,
  Streams,
  Why,
} from "./answers.ts";
import {
  readData,
  readEvent,
  readEvents,
  readHistory,
  type EventPage,
  type FeedEvent,
  type HistoryPage,
} from "./event-pages.ts";
import type { Access } from "./http.ts";
import type { TypeName } from "./items.ts";
import { httpTarget, type SubscribeOptions } from "./options.ts";
import type { CountsQuery, EventsQuery, HistoryQuery, StateQuery } from "./queries.ts";
import { answerTo, jsonOf } from "./requests.ts";
import { readState, type StateRead } from "./state-read.ts";
import type { ResourceType, Severity } from "./wire.ts";

export type FeedApiOptions = Pick<SubscribeOptions, "url" | "token" | "signal">;

/** Which alerts to silence, for how long: at least one of `filter`, `rules` and `minSeverity`. */
export interface NewSilence {
  readonly filter?: string;
  /** Names, with * for anything. */
  readonly rules?: readonly string[];
  readonly minSeverity?: Severity;
  /** As "30m", "2d". */
  readonly for: string;
  readonly comment?: string;
}

/** An alert of `alerts()` by its id, or one that does not exist; neither: the routes alone. */
export type AlertTest =
  | { readonly alert?: string }
  | {
      readonly rule: string;
      readonly severity?: Severity;
      readonly labels?: Readonly<Record<string, string>>;
    };

/**
 * What a server is asked once, where `subscribe` and `watchState` follow it. Without a token the server knows a browser
 * by its session. It keeps nothing between two requests: to end one alone, make another object with a signal for it.
 * @throws ClientOptionInvalid
 */
export function feedApi(options: FeedApiOptions): FeedApi {
  httpTarget(options.url, "/");
  return new FeedApi(options);
}

/** One method for each route. All reject with RequestFailed, or with the reason of `signal`. */
export class FeedApi {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** What this server is, and where the feed stands. */
  about(): Promise<About> {
    return this.#get("/v1/about");
  }

  /** A page of events. `next` of the page is the query of the one that follows. */
  events<const Types extends TypeName = TypeName>(query: EventsQuery<Types> = {}): Promise<EventPage<Types>> {
    return readEvents(this.#access, query);
  }

  /** The one event with this cursor. */
  event(cursor: string): Promise<FeedEvent> {
    return readEvent(this.#access, cursor);
  }

  /** The whole `data` of an event that was too large for it; `originalText` has every digit of it. */
  data(cursor: string): Promise<object> {
    return readData(this.#access, cursor);
  }

  history(query: HistoryQuery = {}): Promise<HistoryPage> {
    return readHistory(this.#access, query);
  }

  /** How many events there were, over time. */
  counts(query: CountsQuery = {}): Promise<Counts> {
    return jsonOf(this.#access, "/v1/counts", { query });
  }

  /** The current objects, one by one. */
  state<const Type extends ResourceType = ResourceType>(
    query: StateQuery<Type> = {},
  ): Promise<StateRead<Type>> {
    return readState(this.#access, query);
  }

  /** Why an object is as it is, or was at a time (RFC 3339 or age) or cursor. */
  why(subject: string, options: { readonly at?: string } = {}): Promise<Why> {
    return this.#get("/v1/why", { subject, ...options });
  }

  /** What the versions of a job changed in its specification, as many as Nomad keeps. */
  jobVersions(query: { readonly namespace: string; readonly job: string }): Promise<JobVersions> {
    return this.#get("/v1/job-versions", query);
  }

  /** Who the server takes this browser for. */
  session(): Promise<Session> {
    return this.#get("/v1/session");
  }

  /**
   * Has the server know this browser, by a cookie, as whoever has the token.
   * @param options `remember`: after the browser was closed, too.
   */
  signIn(token: string, options: { readonly remember?: boolean } = {}): Promise<Session> {
    return jsonOf({ ...this.#access, token }, "/v1/session", { method: "POST", query: options });
  }

  async signOut(): Promise<void> {
    await answerTo(this.#access, "/v1/session", { method: "DELETE" });
  }

  async assignments(): Promise<Assignment[]> {
    return (await this.#get<{ assignments: Assignment[] }>("/v1/assignments")).assignments;
  }

  /** Who follows the feed at this server; undefined where that is not for this token, or the server is older. */
  async streams(): Promise<Streams[] | undefined> {
    return (await this.#get<{ streams?: Streams[] }>("/v1/assignments")).streams;
  }

  alerts(): Promise<Alerts> {
    return this.#get("/v1/alerts");
  }

  /** Who is told of alerts; `tested` says where one would go. */
  alertRoutes(test: AlertTest = {}): Promise<AlertRoutes> {
    if (!("rule" in test)) return this.#get("/v1/alert-routes", test);
    const labels = Object.entries(test.labels ?? {}).map((pair) => pair.join("="));
    return this.#get("/v1/alert-routes", { ...test, labels });
  }

  async silences(): Promise<Silence[]> {
    return (await this.#get<{ silences: Silence[] }>("/v1/silences")).silences;
  }

  addSilence({ rules, ...silence }: NewSilence): Promise<Silence> {
    return this.#post("/v1/silences", { ...silence, ...(rules !== undefined && { rules: rules.join() }) });
  }

  /** Answers the silence as it was. */
  endSilence(id: string): Promise<Silence> {
    return jsonOf(this.#access, `/v1/silences/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  async consumers(): Promise<Consumer[]> {
    return (await this.#get<{ consumers: Consumer[] }>("/v1/consumers")).consumers;
  }

  consumer(name: string): Promise<Consumer> {
    return this.#get(`/v1/consumers/${encodeURIComponent(name)}`);
  }

  async deleteConsumer(name: string): Promise<void> {
    await answerTo(this.#access, `/v1/consumers/${encodeURIComponent(name)}`, { method: "DELETE" });
  }

  async deliveries(): Promise<Delivery[]> {
    return (await this.#get<{ deliveries: Delivery[] }>("/v1/deliveries")).deliveries;
  }

  delivery(name: string): Promise<DeliveryDetails> {
    return this.#get(deliveryPath(name));
  }

  /** @param options `reason` is for people. */
  pauseDelivery(name: string, options: { readonly reason?: string } = {}): Promise<DeliveryDetails> {
    return this.#post(deliveryPath(name, "/pause"), options);
  }

  resumeDelivery(name: string): Promise<DeliveryDetails> {
    return this.#post(deliveryPath(name, "/resume"));
  }

  /** Sends again, from after a cursor, or what was recorded since a time (RFC 3339 or age). */
  replayDelivery(
    name: string,
    from: { readonly cursor: string } | { readonly since: string },
  ): Promise<DeliveryDetails> {
    return this.#post(deliveryPath(name, "/replay"), from);
  }

  /** Sends one event that is not in the log. */
  testDelivery(name: string): Promise<Attempt> {
    return this.#post(deliveryPath(name, "/test"));
  }

  /** Those that the destination would not take, oldest first, `after` the letter with this cursor. */
  async deadLetters(
    name: string,
    options: { readonly limit?: number; readonly after?: string } = {},
  ): Promise<DeadLetter[]> {
    const path = deliveryPath(name, "/dead-letters");
    return (await this.#get<{ deadLetters: DeadLetter[] }>(path, options)).deadLetters;
  }

  /** Sends dead letters once more, by their cursors. Answers how many. */
  async retryDeadLetters(name: string, which: readonly string[] | "all"): Promise<number> {
    const path = deliveryPath(name, "/dead-letters/retry");
    return (await this.#post<{ retried: number }>(path, lettersOf(which))).retried;
  }

  /** Forgets dead letters, by their cursors. Answers how many. */
  async dropDeadLetters(name: string, which: readonly string[] | "all"): Promise<number> {
    const path = deliveryPath(name, "/dead-letters/drop");
    return (await this.#post<{ dropped: number }>(path, lettersOf(which))).dropped;
  }

  #get<Answer>(path: string, query: object = {}): Promise<Answer> {
    return jsonOf(this.#access, path, { query });
  }

  #post<Answer>(path: string, query: object = {}): Promise<Answer> {
    return jsonOf(this.#access, path, { method: "POST", query });
  }
}

function deliveryPath(name: string, what = ""): string {
  return `/v1/deliveries/${encodeURIComponent(name)}${what}`;
}

function lettersOf(which: readonly string[] | "all"): object {
  return which === "all" ? { all: true } : { cursor: which };
}
