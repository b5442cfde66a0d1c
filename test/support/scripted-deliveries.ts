import { NOTHING_TO_REPORT } from "../../src/coordination/coordination.ts";
import type { DeliverySteering } from "../../src/http/deliveries.ts";
import { NoDelivery } from "../../src/publishers/delivery/errors.ts";
import type { AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import { formatCursor, type Cursor } from "../../src/schemas/cursor.ts";
import {
  deliveryStatusSchema,
  type Attempt,
  type DeliveryDetails,
  type ParkedEvent,
} from "../../src/schemas/delivery-schema.ts";

export const ATTEMPT: Attempt = {
  at: "2026-08-22T10:16:30.000Z",
  ms: 35,
  events: 1,
  firstId: "0/jobs/default/web@12",
  outcome: "ok",
  why: null,
  reason: null,
  status: 200,
  request: "POST /hook HTTP/1.1\ncontent-type: application/json",
  answer: "thanks",
};

export const DELIVERY: DeliveryDetails = {
  name: "hook",
  kind: "events",
  type: "webhook",
  target: "https://hooks.example",
  state: "delivering",
  reason: null,
  since: null,
  worker: "one/1/a",
  cursor: "abc123-12",
  recordedAt: "2026-08-22T10:15:30.000Z",
  lagEvents: 3,
  lagMs: 1500,
  waiting: null,
  messages: null,
  deadLetters: 1,
  attempts: [ATTEMPT],
  outcomes: { delivered: 11, parked: 1, passedOver: 0, retried: 2 },
  latency: {
    recordedToPicked: { p50: 1.25, p99: 4 },
    pickedToSent: { p50: 0.5, p99: 2 },
    sentToAnswered: { p50: 30, p99: 80 },
  },
};

export const LETTER: ParkedEvent = {
  cursor: "abc123-7",
  id: "0/jobs/default/web@7",
  reason: "400: no such field",
  attempts: 1,
  parkedAt: "2026-08-22T10:10:00.000Z",
  event: '{"id":"0/jobs/default/web@7"}',
};

/** Deliveries that are as a test says, and remember what was asked of them. */
export class ScriptedDeliveries implements DeliverySteering {
  readonly asked: unknown[][] = [];
  attempt = ATTEMPT;
  readonly #deliveries: readonly DeliveryDetails[];
  readonly #letters: readonly ParkedEvent[];

  constructor(deliveries: readonly DeliveryDetails[] = [], letters: readonly ParkedEvent[] = []) {
    this.#deliveries = deliveries;
    this.#letters = letters;
  }

  /** One worker delivers all of them. */
  readonly assignments = async (): Promise<AssignmentStatus[]> =>
    this.#deliveries.map(({ name, worker }) => ({
      ...NOTHING_TO_REPORT,
      assignment: `deliver/${name}`,
      state: "held",
      worker,
      since: "2026-08-22T10:00:00.000Z",
    }));

  async list() {
    return this.#deliveries.map((delivery) => deliveryStatusSchema.parse(delivery));
  }

  async show(name: string) {
    const found = this.#deliveries.find((delivery) => delivery.name === name);
    if (found === undefined) throw new NoDelivery(name);
    return found;
  }

  readonly pause = (name: string, reason: string | null) => this.#ask("pause", name, reason);
  readonly resume = (name: string) => this.#ask("resume", name);
  readonly replay = (name: string, from: object) => this.#ask("replay", name, from);

  async test(name: string) {
    await this.#ask("test", name);
    return this.attempt;
  }

  readonly deadLetters: DeliverySteering["deadLetters"] = {
    list: async (name, { limit, after }) => {
      await this.show(name);
      const behind = this.#letters.findIndex(({ cursor }) => after && cursor === formatCursor(after));
      return this.#letters.slice(behind + 1, behind + 1 + limit);
    },
    retry: (name, which) => this.#settle("retry", name, which),
    drop: (name, which) => this.#settle("drop", name, which),
  };

  async #settle(what: string, name: string, which: readonly Cursor[] | "all"): Promise<number> {
    await this.#ask(what, name, which);
    return which === "all" ? this.#letters.length : which.length;
  }

  async #ask(what: string, name: string, ...rest: unknown[]): Promise<void> {
    await this.show(name);
    this.asked.push([what, name, ...rest]);
  }
}
