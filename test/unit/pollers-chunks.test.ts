import { describe, expect, it } from "vitest";
import { chunk, type CommitUnit } from "../../src/pollers/chunks.ts";
import type { StateWrite } from "../../src/feed/log.ts";

const write = (key: string, bytes = 10): StateWrite => ({
  ref: { resource: "jobs", namespace: "default", key },
  next: { rev: "1", stub: Buffer.alloc(bytes) },
});
const unit = (key: string, bytes?: number): CommitUnit => ({ events: [], state: [write(key, bytes)] });

describe("chunk", () => {
  it("ends with one last chunk even where there is nothing to write", () => {
    expect([...chunk([])]).toEqual([{ events: [], state: [], knownEmptyScopes: [], bytes: 0, last: true }]);
  });

  it("keeps order, splits by count, and marks only the last chunk", () => {
    const units = Array.from({ length: 1_201 }, (_, position) => unit(String(position)));
    const chunks = [...chunk(units)];
    expect(chunks.map((part) => part.state.length)).toEqual([500, 500, 201]);
    expect(chunks.map((part) => part.last)).toEqual([false, false, true]);
    expect(chunks.flatMap((part) => part.state.map((item) => item.ref.key))).toEqual(
      units.map((_, position) => String(position)),
    );
  });

  it("splits by bytes, but never one unit", () => {
    const chunks = [
      ...chunk([unit("a", 400), unit("b", 400), unit("c", 5_000)], { events: 500, bytes: 600 }),
    ];
    expect(chunks.map((part) => part.state.map((item) => item.ref.key))).toEqual([["a"], ["b"], ["c"]]);
  });
});
