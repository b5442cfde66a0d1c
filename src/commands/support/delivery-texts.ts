import type { Attempt, DeliveryDetails, DeliveryStatus, ParkedEvent } from "../../schemas/delivery-schema.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import type { Colours } from "./colours.ts";
import { fitLine, type Cell } from "./fit-line.ts";
import { INDENT, indented, PLAIN, tableText, type Page, type Paint } from "./table-text.ts";
import { timeText } from "./times.ts";
import { wrapText } from "./wrap-text.ts";

/** All deliveries, a line each, and below it why one does not deliver. */
export function deliveriesTable(deliveries: readonly DeliveryStatus[], page: Page): string {
  const { colours } = page;
  if (deliveries.length === 0) return `${colours.dim("no destination is configured")}\n`;
  const rows = deliveries.map((delivery) => ({
    cells: [
      delivery.name,
      delivery.state,
      lagText(delivery.lagMs),
      String(delivery.lagEvents ?? delivery.waiting ?? "-"),
      String(delivery.deadLetters),
      delivery.type ?? "-",
      delivery.target ?? "-",
    ],
    paint: paintOf(delivery, colours),
    below: delivery.reason,
  }));
  return tableText(["NAME", "STATE", "LAG", "WAITING", "DEAD", "TYPE", "TARGET"], rows, page);
}

/** One delivery in one line. */
export function deliveryLine(delivery: DeliveryStatus, { colours }: Page): string {
  const { name, state, reason } = delivery;
  const why = reason === null ? "" : `: ${reason}`;
  return `${paintOf(delivery, colours)(plainText(`${name} is ${state}`))}${plainText(why)}\n`;
}

/** What is known of a delivery; `isFull`: with what was sent and answered in every attempt. */
export function deliveryText(delivery: DeliveryDetails, page: Page, isFull: boolean): string {
  const { colours } = page;
  const { kind, cursor, recordedAt, since, attempts } = delivery;
  const facts = [
    ["name", delivery.name],
    ["sends to", `${delivery.type ?? "(not configured here)"} ${delivery.target ?? ""}`.trimEnd()],
    ["state", `${delivery.state}${since === null ? "" : ` since ${timeText(since)}`}`],
    ["reason", delivery.reason],
    ["worker", delivery.worker],
    ["cursor", cursor],
    ["recorded", recordedAt === null ? null : timeText(recordedAt)],
    ...(kind === "alerts" ? waitingFacts(delivery) : lagFacts(delivery)),
    ["outcomes", outcomesText(delivery)],
  ] as const;
  const lines = facts.flatMap(([name, value]) => (value === null ? [] : factLine(name, value, page)));
  const elsewhere = colours.dim("attempts and times are known to its worker alone; ask there");
  return [
    ...lines,
    ...latencyLines(delivery, page),
    ...(attempts === null ? [elsewhere] : attemptsLines(attempts, { page, isFull, kind })),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** One attempt: what was sent, and what came back. */
export function attemptText(attempt: Attempt, page: Page): string {
  return fullAttempt(attempt, page)
    .map((line) => `${line}\n`)
    .join("");
}

export function deadLettersTable(letters: readonly ParkedEvent[], page: Page): string {
  if (letters.length === 0) return `${page.colours.dim("no dead letters")}\n`;
  const rows = letters.map(({ cursor, parkedAt, attempts, id, reason }) => ({
    cells: [cursor, timeText(parkedAt), String(attempts), id],
    paint: PLAIN,
    below: reason,
  }));
  return tableText(["CURSOR", "PARKED", "TRIES", "EVENT"], rows, page);
}

export function deadLetterText(letter: ParkedEvent, page: Page): string {
  const { cursor, id, parkedAt, attempts, reason, event } = letter;
  const facts = [
    ["cursor", cursor],
    ["event", id],
    ["parked", `${timeText(parkedAt)}, after ${attempts} attempts`],
    ["reason", reason],
  ] as const;
  const lines = facts.flatMap(([name, value]) => factLine(name, value, page));
  return [...lines, plainText(event)].map((line) => `${line}\n`).join("");
}

function factLine(name: string, value: string, { colours, columns }: Page): string {
  const label = name.padEnd(14);
  return `${colours.bold(label)}${wrapText(plainText(value), { columns, indent: label.length })}`;
}

type Fact = readonly [name: string, value: string | null];

function lagFacts({ lagEvents, lagMs, deadLetters }: DeliveryDetails): Fact[] {
  return [
    ["lag", `${lagEvents ?? "unknown"} events, ${lagText(lagMs)}`],
    ["dead letters", String(deadLetters)],
  ];
}

/** How many messages wait, and which. */
function waitingFacts({ waiting, lagMs, messages }: DeliveryDetails): Fact[] {
  const each = (messages ?? []).map(({ about, since, dueAt }): Fact => {
    const due = dueAt === null ? "when it is no longer muted" : `due ${timeText(dueAt)}`;
    return ["", `${about}: since ${timeText(since)}, ${due}`];
  });
  return [["waiting", `${waiting ?? "unknown"} messages, overdue ${lagText(lagMs)}`], ...each];
}

function outcomesText({ kind, outcomes }: DeliveryDetails): string | null {
  if (outcomes === null) return null;
  const { delivered, parked, passedOver, retried } = outcomes;
  if (kind === "alerts") return `${delivered} told, ${passedOver} refused, ${retried} sent once more`;
  return `${delivered} delivered, ${parked} parked, ${passedOver} passed over, ${retried} sent once more`;
}

function latencyLines({ latency }: DeliveryDetails, { colours }: Page): string[] {
  if (latency === null) return [];
  const parts = [
    ["commit → picked", latency.recordedToPicked],
    ["picked → sent", latency.pickedToSent],
    ["sent → answered", latency.sentToAnswered],
  ] as const;
  return [
    `${colours.bold("latency, ms".padEnd(16))}${"p50".padStart(10)}${"p99".padStart(10)}`,
    ...parts.map(
      ([name, { p50, p99 }]) =>
        `${name.padEnd(16)}${p50.toFixed(1).padStart(10)}${p99.toFixed(1).padStart(10)}`,
    ),
  ];
}

/** A line each; below the newest, and the newest that failed, what was sent and answered, or below all of them. */
function attemptsLines(
  attempts: readonly Attempt[],
  { page, isFull, kind }: { page: Page; isFull: boolean; kind: DeliveryStatus["kind"] },
): string[] {
  const title = attempts.length === 0 ? "no attempts yet" : "last attempts, newest first";
  const newestFailed = attempts.find(({ outcome }) => outcome !== "ok");
  const lines = attempts.flatMap((attempt, n) =>
    isFull || n === 0 || attempt === newestFailed
      ? fullAttempt(attempt, page, kind)
      : attemptLine(attempt, page, { kind, reason: attempt.reason ?? "" }),
  );
  return [page.colours.bold(title), ...lines];
}

function fullAttempt(attempt: Attempt, page: Page, kind?: DeliveryStatus["kind"]): string[] {
  const { reason, request, answer } = attempt;
  return [
    attemptLine(attempt, page, { kind }),
    ...(reason === null ? [] : [indented(reason, page)]),
    ...quoted("request", request, page),
    ...quoted("answer", answer, page),
  ];
}

/** `kind` undefined: a test, which is one. */
function attemptLine(
  attempt: Attempt,
  { colours, columns }: Page,
  { kind, reason = "" }: { kind: DeliveryStatus["kind"] | undefined; reason?: string },
): string {
  const { at, outcome, why, status, events, ms, firstId } = attempt;
  const paint = outcome === "ok" ? colours.green : colours.yellow;
  const cells = [
    timeText(at),
    why === null ? outcome : `${outcome} (${why})`,
    status === null ? "" : String(status),
    `${ms} ms`,
    kind === undefined ? "" : `${events} ${events === 1 ? kind.slice(0, -1) : kind}`,
    firstId ?? "",
    reason,
  ];
  return fitLine(
    cells.map((text, rank): Cell => ({ text: plainText(text), paint: rank === 1 ? paint : PLAIN, rank })),
    columns,
  );
}

function quoted(name: string, text: string | null, { colours }: Page): string[] {
  if (text === null) return [];
  const lines = text.trimEnd().split(/\r?\n/);
  return [`${INDENT}${name}:`, ...lines.map((line) => `${INDENT}${INDENT}${colours.dim(plainText(line))}`)];
}

function paintOf({ state }: DeliveryStatus, colours: Colours): Paint {
  if (state === "circuit-open" || state === "waiting") return colours.red;
  return state === "delivering" ? PLAIN : colours.yellow;
}

function lagText(lagMs: number | null): string {
  return lagMs === null ? "-" : `${(lagMs / 1000).toFixed(1)}s`;
}
