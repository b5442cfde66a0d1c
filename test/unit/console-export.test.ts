import type { EventPage, EventsQuery } from "nomad-changefeed-client";
import { describe, expect, it } from "vitest";
import { exportEvents, type ExportFormat, type ExportSource } from "../../console/src/pages/live/export.ts";
import { feedEvent } from "../support/console/feed-events.ts";

/** Pages of a log of so many events, newest first. */
class PagedLog {
  readonly asked: EventsQuery[] = [];
  readonly pauses: number[] = [];
  /** What the next answers are, in place of a page. */
  readonly failures: Error[] = [];
  readonly #length: number;
  readonly #perPage: number;

  constructor(length: number, perPage: number) {
    this.#length = length;
    this.#perPage = perPage;
  }

  readonly source: ExportSource = {
    readPage: async (query, gone) => {
      gone.throwIfAborted();
      this.asked.push(query);
      const failure = this.failures.shift();
      if (failure !== undefined) throw failure;
      return this.#pageOf(query);
    },
    textOf: (event) => JSON.stringify(event),
    pause: async (ms) => void this.pauses.push(ms),
  };

  #pageOf(query: EventsQuery): EventPage {
    const from = query.cursor === undefined ? this.#length : Number(query.cursor);
    const events = Array.from({ length: Math.min(this.#perPage, from) }, (_, at) =>
      feedEvent(from - at, from - at, { subject: "jobs/default/web", name: "web", stub: {} }),
    ) as unknown as EventPage["events"];
    const rest = from - events.length;
    return {
      events,
      cursor: "",
      head: "",
      hasGap: false,
      ...(rest > 0 && { next: { ...query, cursor: String(rest) } }),
    };
  }
}

async function exported(
  { source }: Pick<PagedLog, "source">,
  format: ExportFormat,
  { most = 1000, stop = new AbortController(), through = undefined as string | undefined } = {},
) {
  const parts: string[] = [];
  const progress: number[] = [];
  const target = {
    write: (text: string) => void parts.push(text),
    onProgress: (count: number) => void progress.push(count),
  };
  const query = { types: ["jobs"], since: "2026-11-29T12:00:00Z" } as const;
  const result = await exportEvents({ query, through }, format, source, target, stop.signal, most);
  return { parts, progress, result };
}

const passing = () => Object.assign(new Error("away"), { retryable: true });

describe("an export of the events that match", () => {
  it("has all of them as the feed sent them, written page by page", async () => {
    const log = new PagedLog(7, 3);
    const { parts, progress, result } = await exported(log, "ndjson");
    const lines = parts.join("").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { cursor: string }).cursor)).toEqual(
      [7, 6, 5, 4, 3, 2, 1].map((number) => `a-${number}`),
    );
    expect(parts).toHaveLength(3);
    expect(progress).toEqual([3, 6, 7]);
    expect(result).toEqual({ count: 7, isCut: false, hasGap: false });
    expect(log.asked[0]).toMatchObject({
      types: ["jobs"],
      since: "2026-11-29T12:00:00Z",
      order: "newest-first",
    });
  });

  it("ends at its bound with the newest, and says that there are more", async () => {
    const { progress, result } = await exported(new PagedLog(100, 3), "ndjson", { most: 5 });
    expect(progress).toEqual([3, 5]);
    expect(result).toEqual({ count: 5, isCut: true, hasGap: false });
    expect((await exported(new PagedLog(5, 3), "ndjson", { most: 5 })).result.isCut).toBe(false);
  });

  it("ends with the event of a cursor, whatever was recorded at the same time", async () => {
    const { parts, result } = await exported(new PagedLog(7, 3), "ndjson", { through: "a-5" });
    expect(result.count).toBe(5);
    expect(parts[0]).toContain('"cursor":"a-5"');
    expect(parts.join("")).not.toContain('"cursor":"a-6"');
  });

  it("asks again where nobody answered, and gives up what is refused", async () => {
    const log = new PagedLog(4, 3);
    log.failures.push(passing(), passing());
    expect((await exported(log, "ndjson")).result.count).toBe(4);
    expect(log.pauses).toHaveLength(2);
    log.failures.push(new Error("refused"));
    await expect(exported(log, "ndjson")).rejects.toThrow("refused");
    log.failures.push(...Array.from({ length: 9 }, passing));
    await expect(exported(log, "ndjson")).rejects.toThrow("away");
  });

  it("ends where it is cancelled", async () => {
    const stop = new AbortController();
    const log = new PagedLog(9, 3);
    const readPage: ExportSource["readPage"] = async (query, gone) => {
      const page = await log.source.readPage(query, gone);
      stop.abort(new Error("cancelled"));
      return page;
    };
    await expect(exported({ source: { ...log.source, readPage } }, "ndjson", { stop })).rejects.toThrow(
      "cancelled",
    );
    expect(log.asked).toHaveLength(1);
  });

  it("is a table where one wants it, and keeps a spreadsheet from taking a name for a formula", async () => {
    const log = new PagedLog(1, 3);
    const { readPage } = log.source;
    const named = (query: EventsQuery, gone: AbortSignal) =>
      readPage(query, gone).then((page) => ({
        ...page,
        events: [
          feedEvent(1, 1, {
            subject: "jobs/default/web",
            name: '=cmd("x")',
            stub: {},
            signals: ["job.updated", "job.reverted"],
          }),
        ] as unknown as EventPage["events"],
      }));
    const parts: string[] = [];
    await exportEvents(
      { query: {}, through: undefined },
      "csv",
      { ...log.source, readPage: named },
      { write: (text) => void parts.push(text), onProgress: () => undefined },
      new AbortController().signal,
    );
    const [head = "", line = ""] = parts.join("").split("\r\n");
    expect(head).toMatch(/^cursor,time,severity/);
    expect(line).toContain(`"'=cmd(""x"")"`);
    expect(line).toContain("job.updated job.reverted");
    expect(log.asked[0]).toMatchObject({ payload: "patch" });
  });
});
