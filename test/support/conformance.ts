import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { failure, scriptedFeed, sends, type Script, type ScriptedAnswer } from "./scripted-feed.ts";

type Query = Readonly<Record<string, string | readonly string[]>>;

interface Answer extends Omit<ScriptedAnswer, "body"> {
  /** A text as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** What the server does with one connection, and what it must have been asked for. */
interface Connection {
  readonly asked?: Query;
  readonly authorization?: string;
  /** Names of the file's frames, or texts as they are. */
  readonly send?: readonly string[];
  readonly close?: number;
  readonly refuse?: Answer;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query?: Query;
  /** Since the one before. */
  readonly afterAtLeastMs?: number;
  readonly answer: Answer;
}

/** What a client is given to do: test/conformance/README.md. */
export interface Task {
  readonly do: string;
  readonly url: string;
  readonly [detail: string]: unknown;
}

export type Outcome = Readonly<Record<string, unknown>>;

/** Does one task, as a program of the client's own language would. */
export type Client = (task: Task) => Promise<Outcome>;

interface ConformanceCase {
  readonly name: string;
  readonly do: string;
  readonly connections?: readonly Connection[];
  /** The last connection may have come several times. */
  readonly mayRepeat?: boolean;
  readonly requests?: readonly Request[];
  /** The path that the feed is below; the others are those of PROTOCOL.md. */
  readonly below?: string;
  /** Bytes that each text has at least, with spaces behind it. */
  readonly padTo?: number;
  readonly expect: Outcome;
  readonly frames: Readonly<Record<string, object>>;
  readonly [detail: string]: unknown;
}

const FOLDER = join(import.meta.dirname, "../conformance");

export function conformanceCases(file: string): ConformanceCase[] {
  const text = readFileSync(join(FOLDER, `${file}.json`), "utf8");
  const { frames = {}, cases } = JSON.parse(text) as {
    frames?: ConformanceCase["frames"];
    cases: Omit<ConformanceCase, "frames">[];
  };
  return cases.map((one) => ({ ...one, frames }) as ConformanceCase);
}

/** A client that comes more often than the case has it is sent away for good. */
const TOO_MANY = sends([failure({ code: "NOT_IN_THE_CASE", message: "One connection too many" })], 4400);

/** Plays the case's server, has the client do its part, and holds both to what the case expects. */
export async function expectConformance(client: Client, given: ConformanceCase): Promise<void> {
  const {
    name: _name,
    connections = [],
    mayRepeat,
    requests = [],
    expect: wanted,
    frames,
    below = "",
    padTo = 0,
    ...task
  } = given;
  const root = below.replace(/\/$/, "");
  const scripts = connections.map((one) => scriptOf(one, frames, padTo));
  using server = await scriptedFeed(...scripts, ...(mayRepeat === true ? [] : [TOO_MANY]));
  server.answerInTurn(...requests.map(({ answer }) => answerOf(answer)));
  const outcome = await client({ ...task, url: `${server.url}${below}` });

  const { waitsAtLeastMs, waitsAtMostMs, ...said } = wanted;
  expect({ ...outcome, ...(mayRepeat === true && { items: unrepeated(outcome["items"]) }) }).toMatchObject(
    said,
  );
  const { waitsMs } = outcome as { waitsMs?: number[] };
  for (const [at, least] of ((waitsAtLeastMs ?? []) as number[]).entries())
    expect(waitsMs?.[at]).toBeGreaterThanOrEqual(least);
  for (const [at, most] of ((waitsAtMostMs ?? []) as number[]).entries())
    expect(waitsMs?.[at]).toBeLessThanOrEqual(most);

  const came = server.queries.slice(0, mayRepeat === true ? connections.length : undefined);
  expect(came, "connections").toHaveLength(connections.length);
  expect([...new Set(server.paths)]).toEqual(came.length === 0 ? [] : [`${root}/v1/events`]);
  for (const [at, { asked, authorization }] of connections.entries()) {
    if (asked !== undefined) expect(plain(server.queries[at])).toEqual(lists(asked));
    if (authorization !== undefined) expect(server.headers[at]?.authorization).toBe(authorization);
  }
  expect(server.requests.map(({ method, path, query }) => [method, path, plain(query)])).toEqual(
    requests.map(({ method, path, query = {} }) => [method, `${root}${path}`, lists(query)]),
  );
  for (const [at, { afterAtLeastMs = 0 }] of requests.entries()) {
    const [before, here] = [server.requests[at - 1]?.atMs ?? 0, server.requests[at]?.atMs ?? 0];
    expect(here - before, `request ${at} after the one before`).toBeGreaterThanOrEqual(afterAtLeastMs);
  }
}

function scriptOf(
  { send = [], close, refuse }: Connection,
  frames: ConformanceCase["frames"],
  padTo: number,
): Script {
  if (refuse !== undefined) return answerOf(refuse);
  const texts = send.map((text) => (frames[text] === undefined ? text : JSON.stringify(frames[text])));
  return sends(
    texts.map((text) => text.padEnd(padTo)),
    close,
  );
}

function answerOf({ body, ...rest }: Answer): ScriptedAnswer {
  return {
    ...rest,
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
}

/** Lists in one form: the protocol takes `a=1&a=2` and `a=1,2`. */
function plain(query: URLSearchParams | undefined): Record<string, string[]> {
  const names = [...new Set(query?.keys())];
  return Object.fromEntries(names.map((name) => [name, query?.getAll(name) ?? []]));
}

function lists(query: Query): Record<string, string[]> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value].flat()]));
}

/** What comes several times in a row, once. */
function unrepeated(items: unknown): unknown {
  return Array.isArray(items) ? items.filter((item, at) => at === 0 || item !== items[at - 1]) : items;
}

interface ChangeCase {
  readonly name: string;
  readonly before: unknown;
  readonly changes: unknown;
  /** Absent: they do not belong together. */
  readonly after?: unknown;
}

interface ChangeTask {
  readonly name: string;
  readonly task: Task;
  readonly outcome: Outcome;
}

/** What `changes` make of an object, forwards and, where they do, back. */
export function changeTasks(): ChangeTask[] {
  const { cases } = JSON.parse(readFileSync(join(FOLDER, "changes.json"), "utf8")) as { cases: ChangeCase[] };
  return cases.flatMap(({ name, before, after, changes }): ChangeTask[] => {
    const task = (what: string, object: unknown) => ({
      do: what,
      url: "",
      object: JSON.stringify(object),
      changes: JSON.stringify(changes),
    });
    if (after === undefined)
      return [{ name: `refused: ${name}`, task: task("applyChanges", before), outcome: { failed: true } }];
    return [
      { name, task: task("applyChanges", before), outcome: { object: after } },
      { name: `back: ${name}`, task: task("undoChanges", after), outcome: { object: before } },
    ];
  });
}

export async function expectChange(client: Client, { task, outcome }: ChangeTask): Promise<void> {
  expect(await client(task)).toEqual(outcome);
}
