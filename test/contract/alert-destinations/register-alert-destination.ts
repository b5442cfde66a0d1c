import { setImmediate as immediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  AlertDestination,
  AlertDestinationDeps,
  AlertMessage,
  AlertSendResult,
} from "../../../src/publishers/alerting/alert-destination.ts";
import type { Refusal, SendResult } from "../../../src/publishers/delivery/destination.ts";
import type { Json } from "../../../src/schemas/json.ts";
import { alertOf, endedAlert, messageOf, todo } from "../../support/alert-messages.ts";
import { until } from "../../support/until.ts";
import { OpenedContext } from "../destinations/opened-context.ts";
import { destinationDeps } from "../../support/destination-deps.ts";

/** A message as the counterpart has it. */
interface Told {
  /** What messages of one group have in common there: an incident, a thread. */
  readonly thread: string;
  readonly isOver: boolean;
  /** All that people read. */
  readonly text: string;
}

interface Expected {
  readonly outcome: SendResult["outcome"];
  readonly why?: Refusal;
}

/** What a destination tells: a sink that keeps to the published contract. A new and empty one for each test. */
export interface AlertCounterpart extends AsyncDisposable {
  open(deps: AlertDestinationDeps): Promise<AlertDestination>;
  /** What has arrived, in order; what was changed in place stands as it is now. */
  received(): readonly Told[];
  readonly refusals: readonly (Expected & { readonly name: string; readonly arrange: () => void })[];
  /** It takes what is sent from then on, and does not answer, until `comeBack`. */
  hang(): void;
  goAway(): Promise<void>;
  /** After `hang` and `goAway`: it is there again, and answers. */
  comeBack(): Promise<void>;
  readonly secrets: readonly string[];
  /** Connections that are open. */
  connections(): number;
}

interface Promises {
  /** Whether messages of one group are one thread there. */
  readonly hasThreads: boolean;
}

/** What every destination for people promises. */
export function alertDestinationContract(
  name: string,
  start: () => Promise<AlertCounterpart>,
  { hasThreads }: Promises = { hasThreads: true },
): void {
  describe(`${name} as a destination of alerts`, () => {
    const t = new OpenedContext<AlertCounterpart, AlertMessage, AlertSendResult, AlertDestination>(
      start,
      (counterpart, logger) => counterpart.open(alertDeps({ logger })),
    );
    beforeEach(() => t.begin());
    afterEach(() => t.end());

    test("a group fires, changes and ends in one thread, and each message says what is", async () => {
      const destination = await t.open();
      const web = alertOf();
      const api = alertOf({
        labels: { ...web.labels, group: "api" },
        summary: "2 allocations of web/api failed",
      });
      const group = { labels: web.labels };
      const steps = [
        messageOf([web], { labels: group.labels }),
        messageOf([web, api], { labels: group.labels }),
        messageOf([], { labels: group.labels, resolved: [endedAlert(web), endedAlert(api)] }),
      ];
      let remembered: Json = null;
      for (const step of steps) {
        const result = await t.send(destination, { ...step, remembered });
        expect(result).toMatchObject({ outcome: "ok" });
        remembered = result.remember ?? remembered;
      }
      const told = t.counterpart.received();
      expect(new Set(told.map(({ thread }) => thread)).size).toBe(hasThreads ? 1 : told.length);
      expect(told.at(-1)?.isOver).toBe(true);
      expect(told.map(({ text }) => text).join("\n")).toContain("2 allocations of web/api failed");
    });

    test("groups are told of apart, and one that begins anew is told again", async () => {
      const destination = await t.open();
      const other = alertOf({ labels: { cluster: "prod", namespace: "default", job: "api" } });
      for (const alert of [alertOf(), other])
        expect(await t.send(destination, messageOf([alert]))).toMatchObject({ outcome: "ok" });
      expect(new Set(t.counterpart.received().map(({ thread }) => thread)).size).toBe(2);
      await t.send(destination, messageOf([], { resolved: [endedAlert(other)] }));
      await t.send(destination, messageOf([{ ...other, startsAt: "2026-11-29T05:00:00.000Z" }]));
      expect(t.counterpart.received().at(-1)).toMatchObject({ isOver: false });
    });

    test("tells what names hold, whatever that is, and however much", async () => {
      const destination = await t.open();
      const job = "a <!channel> \"quoted\" & <b>bold</b> \u00e4\u00f6 \u2028 'x' {{ y }}";
      const long = "x".repeat(200_000);
      const odd = alertOf({
        labels: { namespace: "default", job },
        summary: `${job}\r\nBcc: all@example.net`,
        details: { lastEvents: long },
      });
      const many = Array.from({ length: 300 }, (_, place) =>
        alertOf({ summary: long, labels: { namespace: "default", job: "many", group: String(place) } }),
      );
      for (const message of [messageOf([odd]), messageOf(many)])
        expect(await t.send(destination, message)).toMatchObject({ outcome: "ok" });
      expect(t.counterpart.received()[0]?.text).toContain("quoted");
    });

    test("says of each refusal what it is", async () => {
      for (const { name: what, arrange, ...expected } of t.counterpart.refusals) {
        await using destination = await t.open();
        arrange();
        const result = await t.send(destination, messageOf([alertOf()]));
        expect({ what, ...result }).toMatchObject({ what, ...expected });
        expect(result).toHaveProperty("reason", expect.stringMatching(/\w{3}/));
      }
      expect(t.counterpart.received()).toEqual([]);
    });

    test("a counterpart that is not there is a retry, and one that is back is told", async () => {
      const destination = await t.open();
      await t.send(destination, messageOf([alertOf()]));
      const before = t.counterpart.received().length;
      await t.counterpart.goAway();
      const message = messageOf([alertOf({ labels: { namespace: "default", job: "api" } })]);
      expect(await t.send(destination, message)).toMatchObject({ outcome: "retry" });
      await t.counterpart.comeBack();
      await until("it is told", async () => (await t.send(destination, message)).outcome === "ok");
      expect(t.counterpart.received()).toHaveLength(before + 1);
    });

    test("sends nothing where the signal has aborted before", async () => {
      const destination = await t.open();
      const reason = new Error("stopping");
      const sent = destination.send(messageOf([alertOf()]), AbortSignal.abort(reason));
      await expect(sent).rejects.toBe(reason);
      expect(t.counterpart.received()).toEqual([]);
    });

    test("an abort ends a send that gets no answer at once; disposed of, nothing is open", async () => {
      const destination = await t.open();
      t.counterpart.hang();
      const stop = new AbortController();
      const reason = new Error("stopping");
      const sent = destination.send(messageOf([alertOf()]), stop.signal).catch((error: unknown) => error);
      await until("it is connected", () => t.counterpart.connections() > 0);
      await immediate();
      stop.abort(reason);
      expect(await sent).toBe(reason);
      await destination[Symbol.asyncDispose]();
      await destination[Symbol.asyncDispose]();
      await until("nothing is open", () => t.counterpart.connections() === 0);
    });

    test("shows no secret: in its target, in what it says of a send, in the log", async () => {
      const destination = await t.open();
      const results = [await t.send(destination, messageOf([alertOf()]))];
      for (const { arrange } of t.counterpart.refusals) {
        arrange();
        results.push(await t.send(destination, messageOf([alertOf()])));
      }
      await t.counterpart.goAway();
      results.push(await t.send(destination, messageOf([alertOf()])));
      expect(results[0]).toMatchObject({
        outcome: "ok",
        exchange: { request: expect.stringContaining("web") },
      });
      const shown = JSON.stringify([destination.target, results, t.logged]);
      for (const secret of t.counterpart.secrets) expect(shown).not.toContain(secret);
      expect(destination.target).not.toBe("");
    });
  });
}

/** What a destination of alerts is given in a test. */
export function alertDeps(given: Partial<AlertDestinationDeps> = {}): AlertDestinationDeps {
  return {
    ...destinationDeps(),
    pageUrl: (page) => `https://nomad.example/ui/${page}`,
    todo,
    ...given,
  };
}
