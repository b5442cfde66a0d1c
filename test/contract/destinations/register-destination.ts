import { setImmediate as immediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  Destination,
  Outgoing,
  Refusal,
  SendResult,
} from "../../../src/publishers/delivery/destination.ts";
import type { DestinationDeps } from "../../../src/publishers/destination-deps.ts";
import { destinationDeps } from "../../support/destination-deps.ts";
import { outgoing } from "../../support/outgoing.ts";
import { until } from "../../support/until.ts";
import { OpenedContext } from "./opened-context.ts";

/** An event as the counterpart has it. */
export interface Arrived {
  readonly id: string;
  /** The CloudEvents JSON, where the form keeps its bytes. */
  readonly json?: string;
}

interface Expected {
  readonly outcome: SendResult["outcome"];
  readonly why?: Refusal;
}

/** What a destination sends to: the real server, or a sink that keeps to its contract. A new and empty one for each test. */
export interface Counterpart extends AsyncDisposable {
  /** Opens a destination that sends to it, signed in if it can be. */
  open(deps: DestinationDeps): Promise<Destination>;
  /** What has arrived, in order. */
  received(): Promise<readonly Arrived[]>;
  /** Ways to refuse what is sent from then on, and what each has to come to. */
  readonly refusals?: readonly (Expected & {
    readonly name: string;
    readonly arrange: () => Promise<void>;
  })[];
  /** It takes what is sent from then on, and does not answer, until `comeBack`. */
  hang(): Promise<void>;
  /** It is not there any more. */
  goAway(): Promise<void>;
  /** After `hang` and `goAway`: it is there again, as it was, and answers. */
  comeBack(): Promise<void>;
  /** Whoever goes away stays away. */
  readonly isGoneForGood?: true;
  /** What sending to nobody comes to; default a retry. */
  readonly whenAway?: Expected;
  /** It keeps only what is in the log; of the rest it takes note. */
  readonly keepsOnlyTheLog?: true;
  /** Whoever has it keeps others out, until he is disposed of. */
  readonly hasOneWriter?: true;
  /** Texts that must show nowhere. */
  readonly secrets: readonly string[];
  /** Connections, files and the like that are open at the counterpart. Absent where that is not known. */
  connections?(): Promise<number>;
}

/** What every destination promises. `start` gives a new counterpart; what never keeps anybody waiting cannot hang. */
export function destinationContract(
  name: string,
  start: () => Promise<Counterpart>,
  { canHang }: { canHang: boolean } = { canHang: true },
): void {
  describe(`${name} as a destination`, () => {
    const t: DestinationContext = new OpenedContext(start, (counterpart, logger) =>
      counterpart.open(destinationDeps({ logger })),
    );
    beforeEach(() => t.begin());
    afterEach(() => t.end());

    registerSending(t);
    registerRefusals(t);
    registerOutages(t);
    if (canHang) registerHangs(t);

    test("shows no secret: in its target, in what it says of a send, in the log", async () => {
      const destination = await t.open();
      const results = [await t.send(destination, [outgoing(1)])];
      await t.counterpart.goAway();
      results.push(await t.send(destination, [outgoing(2)]));
      const shown = JSON.stringify([destination.target, results, t.logged]);
      for (const secret of t.counterpart.secrets) expect(shown).not.toContain(secret);
      expect(destination.target).not.toBe("");
    });

    test("disposed of, it has closed everything, and may be disposed of again", async () => {
      const destination = await t.open();
      await t.send(destination, [outgoing(1)]);
      await destination[Symbol.asyncDispose]();
      await destination[Symbol.asyncDispose]();
      await until("nothing is open", async () => ((await t.counterpart.connections?.()) ?? 0) === 0);
    });
  });
}

function registerSending(t: DestinationContext): void {
  test("what is sent has arrived when the answer is ok: whole, in order, once", async () => {
    const destination = await t.open();
    const size = Math.min(3, destination.limits?.maxEvents ?? 3);
    const events = Array.from({ length: 4 * size }, (_, position) => outgoing(position + 1));
    for (let from = 0; from < events.length; from += size) {
      expect(await t.send(destination, events.slice(from, from + size))).toMatchObject({ outcome: "ok" });
      expect(events.slice(0, from + size)).toMatchObject(await t.counterpart.received());
    }
  });

  test("keeps what is not plain: other scripts, line breaks, quotes, much text, names that no header holds", async () => {
    const destination = await t.open();
    const events = ODDITIES.map((text, position) =>
      outgoing(position + 1, { job: text.slice(0, 100), data: { text } }),
    );
    for (const event of events) expect(await t.send(destination, [event])).toMatchObject({ outcome: "ok" });
    expect(events).toMatchObject(await t.counterpart.received());
  });

  test("twenty sends at once are twenty arrivals", async () => {
    const destination = await t.open();
    const events = Array.from({ length: 20 }, (_, position) =>
      outgoing(position + 1, { job: `job-${position}` }),
    );
    const results = await Promise.all(events.map((event) => t.send(destination, [event])));
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(["ok"]));
    const ids = (await t.counterpart.received()).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
  });

  test("an event that is in no log, a test or a notice of a gap, is sent as any other", async () => {
    const destination = await t.open();
    const notice = outgoing(1, {
      sequence: null,
      cursor: null,
      key: null,
      op: null,
      aspect: null,
      job: null,
    });
    expect(await t.send(destination, [notice])).toMatchObject({ outcome: "ok" });
    const kept = t.counterpart.keepsOnlyTheLog === true ? [] : [notice];
    expect(kept).toMatchObject(await t.counterpart.received());
  });

  test("sends nothing where the signal has aborted before", async () => {
    const destination = await t.open();
    const reason = new Error("stopping");
    await expect(destination.send([outgoing(1)], AbortSignal.abort(reason))).rejects.toBe(reason);
    await t.send(destination, [outgoing(2)]);
    expect([outgoing(2)]).toMatchObject(await t.counterpart.received());
  });
}

function registerRefusals(t: DestinationContext): void {
  test("says of each refusal what it is, and that of no event that did arrive", async () => {
    for (const { name, arrange, ...expected } of t.counterpart.refusals ?? []) {
      await using destination = await t.open();
      await arrange();
      const result = await t.send(destination, [outgoing(1)]);
      expect({ name, ...result }).toMatchObject({ name, ...expected });
      expect(result).toHaveProperty("reason", expect.stringMatching(/\w{3}/));
    }
    expect([]).toMatchObject(await t.counterpart.received());
  });
}

function registerOutages(t: DestinationContext): void {
  test("a counterpart that is not there is no error, not at the start and not later; one that is back is sent to", async () => {
    const { counterpart } = t;
    const away = counterpart.whenAway ?? { outcome: "retry" };
    const destination = await t.open();
    await t.send(destination, [outgoing(1)]);
    await counterpart.goAway();
    expect(await t.send(destination, [outgoing(2)])).toMatchObject(away);
    const later = await t.open();
    expect(await t.send(later, [outgoing(3)])).toMatchObject(away);
    if (counterpart.isGoneForGood === true) return;
    await counterpart.comeBack();
    for (const [number, each] of [destination, later].entries()) {
      await until("it sends again", async () => {
        return (await t.send(each, [outgoing(2 + number)])).outcome === "ok";
      });
      if (counterpart.hasOneWriter === true) await each[Symbol.asyncDispose]();
    }
    expect((await counterpart.received()).map(({ id }) => id)).toEqual(
      expect.arrayContaining([outgoing(2).id, outgoing(3).id]),
    );
  });
}

function registerHangs(t: DestinationContext): void {
  test("an abort ends a send that gets no answer at once, and what follows is sent", async () => {
    const destination = await t.open();
    await t.send(destination, [outgoing(1)]);
    await t.counterpart.hang();
    const stop = new AbortController();
    const sent = destination.send([outgoing(2)], stop.signal).catch((error: unknown) => error);
    await immediate();
    const reason = new Error("stopping");
    stop.abort(reason);
    expect(await sent).toBe(reason);
    await t.counterpart.comeBack();
    await until("it sends again", async () => (await t.send(destination, [outgoing(3)])).outcome === "ok");
  });

  test("disposed of while a send gets no answer, it ends that send", async () => {
    const destination = await t.open();
    await t.send(destination, [outgoing(1)]);
    await t.counterpart.hang();
    const stop = new AbortController();
    const sent = destination.send([outgoing(2)], stop.signal).catch(() => undefined);
    await immediate();
    stop.abort();
    await Promise.all([sent, destination[Symbol.asyncDispose]()]);
    await expect(sent).resolves.toBeUndefined();
  });
}

const ODDITIES = [
  "straße, Ελλάδα, 東京, 🚀",
  'quote " backslash \\ tab \t line\nbreak\r\nend',
  "separators \u2028 \u2029 \u0085 and \u0000 \u001b[31m",
  "100%25 a.b.c <&> ${x} {{ y }}",
  "x".repeat(60_000),
];

type DestinationContext = OpenedContext<Counterpart, readonly Outgoing[], SendResult, Destination>;
