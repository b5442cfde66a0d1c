import type { AnyItem } from "./feed.ts";
import { ask, type Access } from "./http.ts";
import { Retry, sleep, type RetryOptions } from "./retry.ts";
import { isObjectItem } from "./state-fold.ts";
import type { ChangeData } from "./wire.ts";

/** An object whose newest version was too large for its event, and could not be fetched. */
export interface IncompleteObject {
  /** `<resource>/<namespace>/<key>` */
  readonly subject: string;
  /** Why the feed's server did not give it. */
  readonly reason: string;
}

type Whole =
  | { readonly kind: "whole"; readonly item: AnyItem }
  | ({ readonly kind: "incomplete" } & IncompleteObject)
  /** The server has it no more. */
  | { readonly kind: "gone" };

const TRIES = 3;
const GONE: readonly (string | undefined)[] = ["NO_DATA", "CURSOR_EXPIRED", "EPOCH_CHANGED"];
const NEVER = new AbortController().signal;

/**
 * Fetches what was too large for its event. Where that fails again and again, each is tried once, to hold up nobody.
 */
export class WholeItems {
  readonly #access: Access;
  readonly #retry: Retry;
  #isReachable = true;

  constructor(access: Access & { readonly retry?: RetryOptions }) {
    this.#access = access;
    this.#retry = new Retry(access.retry ?? {});
  }

  async get(item: AnyItem): Promise<Whole> {
    if (!isObjectItem(item) || !("dataref" in item) || item.dataref === undefined)
      return { kind: "whole", item };
    // There is nothing after a delete.
    if (item.data.op === "delete") return { kind: "whole", item };
    const { signal = NEVER } = this.#access;
    for (let tries = this.#isReachable ? TRIES : 1; ; tries -= 1) {
      const answer = await ask(this.#access, routeOf(item.dataref)).catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      // Nobody waits for it any more.
      if (answer === undefined || signal.aborted) return { kind: "gone" };
      const { status, body, serverError } = answer;
      if (status === 200 && isObject(body)) {
        this.#isReachable = true;
        this.#retry.reset();
        return { kind: "whole", item: { ...item, data: body as ChangeData } as AnyItem };
      }
      if (GONE.includes(serverError.code)) return { kind: "gone" };
      if (tries <= 1) {
        this.#isReachable = false;
        const answered = status === 0 ? "cannot be reached" : `answered ${status}`;
        const reason = `${item.dataref} ${answered}${serverError.message === undefined ? "" : `: ${serverError.message}`}`;
        return { kind: "incomplete", subject: item.subject, reason };
      }
      await sleep(this.#retry.next("soon", 0), signal);
    }
  }
}

/** A `dataref` is relative to where the event came from; older logs name the path from the feed's root. */
function routeOf(dataref: string): string {
  return new URL(dataref, "http://feed/v1/events").pathname;
}

function isObject(body: unknown): boolean {
  return typeof body === "object" && body !== null && "resource" in body;
}
