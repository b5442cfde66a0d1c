import { z, type ZodType } from "zod";
import { formatCursor, parseCursor } from "../schemas/cursor.ts";
import {
  attemptSchema,
  deadLettersSchema,
  deliveriesSchema,
  deliveryDetailsSchema,
  type Attempt,
  type DeliveryStatus,
  type ParkedEvent,
} from "../schemas/delivery-schema.ts";
import { terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import { coloursFor } from "./support/colours.ts";
import {
  attemptText,
  deadLettersTable,
  deadLetterText,
  deliveriesTable,
  deliveryLine,
  deliveryText,
} from "./support/delivery-texts.ts";
import type { Page } from "./support/table-text.ts";
import { EXIT_CODES } from "./support/exit.ts";
import { askFeed, FeedRefused, type FeedAddress } from "./support/feed-request.ts";
import { UsageError } from "./support/usage-error.ts";

export interface DeliveriesOptions extends FeedAddress {
  /** What the feed answers, as JSON. */
  readonly json: boolean;
}

/** Sends may take as long as their destination is given for them. */
const SENDS_WITHIN_MS = 120_000;

/** Shows how all deliveries go. Answers 1 where one does not deliver, and nobody wants it so. */
export async function listDeliveries(options: DeliveriesOptions, io: Io): Promise<number> {
  const question = { path: "/v1/deliveries", schema: deliveriesSchema };
  const { deliveries } = await askFeed(options, question, io);
  print(options, io, { deliveries }, (page) => deliveriesTable(deliveries, page));
  return deliveries.every(isWell) ? EXIT_CODES.ok : EXIT_CODES.failed;
}

/** Shows one delivery with its last attempts, `full` or a line each. Answers as `listDeliveries`. */
export async function showDelivery(
  name: string,
  options: DeliveriesOptions & { full: boolean },
  io: Io,
): Promise<number> {
  const question = { path: pathOf(name), schema: deliveryDetailsSchema };
  const delivery = await askFeed(options, question, io);
  print(options, io, delivery, (page) => deliveryText(delivery, page, options.full));
  return isWell(delivery) ? EXIT_CODES.ok : EXIT_CODES.failed;
}

export type Steering =
  | { readonly what: "pause"; readonly reason?: string | undefined }
  | { readonly what: "resume" }
  | { readonly what: "replay"; readonly since?: string | undefined; readonly cursor?: string | undefined };

/** Pauses a delivery, resumes it, or has it send again; shows how it is then. */
export async function steerDelivery(
  name: string,
  { what, ...given }: Steering,
  options: DeliveriesOptions & { io: Io },
): Promise<void> {
  const { io } = options;
  if (what === "replay" && Object.values(given).filter((value) => value !== undefined).length !== 1) {
    throw new UsageError("Say from where to send again: --since <time or age>, or --cursor <cursor>");
  }
  const path = pathOf(name, what, Object.entries(given));
  const delivery = await askFeed(options, { method: "POST", path, schema: deliveryDetailsSchema }, io);
  print(options, io, delivery, (page) => deliveryLine(delivery, page));
}

/** Sends a test event; shows what was sent and what came back. Answers 1 where the destination did not take it. */
export async function testDelivery(name: string, options: DeliveriesOptions, io: Io): Promise<number> {
  const question = { method: "POST", path: pathOf(name, "test"), schema: attemptSchema } as const;
  const attempt: Attempt = await askFeed(options, { ...question, withinMs: SENDS_WITHIN_MS }, io);
  print(options, io, attempt, (page) => attemptText(attempt, page));
  return attempt.outcome === "ok" ? EXIT_CODES.ok : EXIT_CODES.failed;
}

/** Shows the dead letters of a delivery, oldest first. */
export async function listDeadLetters(
  name: string,
  { limit, after }: { limit: string; after?: string | undefined },
  options: DeliveriesOptions & { io: Io },
): Promise<void> {
  const { io } = options;
  const path = pathOf(name, "dead-letters", [
    ["limit", limit],
    ["after", after],
  ]);
  const { deadLetters } = await askFeed(options, { path, schema: deadLettersSchema }, io);
  print(options, io, { deadLetters }, (page) => deadLettersTable(deadLetters, page));
}

/** Shows one dead letter, with its event. */
export async function showDeadLetter(
  name: string,
  cursor: string,
  options: DeliveriesOptions & { io: Io },
): Promise<void> {
  const { io } = options;
  const letter = await findDeadLetter(name, cursor, options);
  print(options, io, letter, (page) => deadLetterText(letter, page));
}

/** Sends dead letters once more, or forgets them. */
export async function settleDeadLetters(
  name: string,
  { what, cursors, all }: { what: "retry" | "drop"; cursors: readonly string[]; all: boolean },
  options: DeliveriesOptions & { io: Io },
): Promise<void> {
  const { io } = options;
  if (all === cursors.length > 0) {
    throw new UsageError(`Say which dead letters to ${what}: their cursors, or --all`);
  }
  const query = all ? [["all", "true"] as const] : cursors.map((cursor) => ["cursor", cursor] as const);
  const path = pathOf(name, `dead-letters/${what}`, query);
  const done = what === "retry" ? "retried" : "dropped";
  const schema: ZodType<Record<string, number>> = z.record(z.string(), z.int());
  const question = { method: "POST", path, schema, withinMs: SENDS_WITHIN_MS } as const;
  const answer = await askFeed(options, question, io);
  print(options, io, answer, () => `${answer[done] ?? 0} ${done}\n`);
}

async function findDeadLetter(
  name: string,
  cursor: string,
  options: DeliveriesOptions & { io: Io },
): Promise<ParkedEvent> {
  const place = parseCursor(cursor);
  if (place === undefined)
    throw new UsageError(`${JSON.stringify(cursor)} is not the cursor of a dead letter`);
  // The letters of one sequence stand together; where there are some of an older epoch, they are few.
  const before = formatCursor({ epoch: place.epoch, sequence: Math.max(0, place.sequence - 1) });
  const query = [["after", before] as const, ["limit", "10"] as const];
  const path = pathOf(name, "dead-letters", query);
  const { deadLetters } = await askFeed(options, { path, schema: deadLettersSchema }, options.io);
  const found = deadLetters.find((letter) => letter.cursor === cursor);
  if (found === undefined) throw new FeedRefused(`The delivery ${name} has no dead letter ${cursor}`);
  return found;
}

function pathOf(
  name: string,
  what?: string,
  query: readonly (readonly [string, string | undefined])[] = [],
): string {
  const given = query.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const search = new URLSearchParams(given.map(([key, value]): [string, string] => [key, value])).toString();
  const path = `/v1/deliveries/${encodeURIComponent(name)}${what === undefined ? "" : `/${what}`}`;
  return search === "" ? path : `${path}?${search}`;
}

function print({ json }: { json: boolean }, io: Io, answer: object, text: (page: Page) => string): void {
  const page = { colours: coloursFor(io), columns: io.isTTY ? io.columns() : undefined };
  io.stdout.write(json ? `${terminalJson(JSON.stringify(answer, null, 2))}\n` : text(page));
}

/** What people paused is as they want it. */
function isWell({ state }: DeliveryStatus): boolean {
  return state !== "circuit-open" && state !== "waiting";
}
