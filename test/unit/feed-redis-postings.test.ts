import { expect, test } from "vitest";
import type { HistoryQuery } from "../../src/feed/log.ts";
import { postedBy, postingsOf, sequencesIn } from "../../src/feed/redis/postings.ts";
import type { EventDraft } from "../../src/schemas/draft.ts";
import { draft } from "../support/drafts.ts";

/** What the commit script makes of commits: each with its first sequence, in one segment. */
function partitionsOf(...commits: [first: number, events: EventDraft[]][]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [first, events] of commits) {
    const postings = postingsOf(events);
    for (let n = 0; n < postings.length; n += 2) {
      const [partition = "", lines = ""] = postings.slice(n, n + 2);
      texts.set(partition, `${texts.get(partition) ?? ""}@${first - 1}\n${lines}`);
    }
  }
  return texts;
}

function found(texts: ReadonlyMap<string, string>, question: Partial<HistoryQuery>): number[] | undefined {
  const posted = postedBy({ order: "oldest-first", ...question });
  return posted && sequencesIn(texts.get(posted.partition) ?? "", posted.name);
}

test("each name finds its events, in whichever commit they came", () => {
  const texts = partitionsOf(
    [7, [draft({ key: "a", job: "web" }), draft({ key: "b", job: "web", node: "n1" })]],
    [9, [draft({ key: "c", job: "db" })]],
    [10, [draft({ key: "a", job: "web", signals: ["task.restarted"], severity: "ERROR" })]],
  );
  expect(found(texts, { key: "a" })).toEqual([7, 10]);
  expect(found(texts, { job: "web" })).toEqual([7, 8, 10]);
  expect(found(texts, { node: "n1" })).toEqual([8]);
  expect(found(texts, { signal: "task.restarted" })).toEqual([10]);
  expect(found(texts, { minSeverity: "WARN" })).toEqual([10]);
  expect(found(texts, { job: "none" })).toEqual([]);
});

test("a question without a name in the index has no place in it", () => {
  expect(postedBy({ order: "oldest-first", op: "delete", minSeverity: "INFO" })).toBeUndefined();
});

test("names that begin alike, or hold what separates lines, keep apart from others", () => {
  const names = ["a", "a 5", "a\n@90", "@3", "aa", "key:a"];
  const texts = partitionsOf(...names.map((key, n): [number, EventDraft[]] => [n + 1, [draft({ key })]]));
  const expected = names.map((_, n) => [n + 1]);
  expect(names.map((key) => found(texts, { key }))).toEqual(expected);
  const together = [...texts.values()].join("");
  const inOne = names.map((key) => {
    const posted = postedBy({ order: "oldest-first", key });
    return sequencesIn(together, posted?.name ?? "");
  });
  expect(inOne).toEqual(expected);
});
