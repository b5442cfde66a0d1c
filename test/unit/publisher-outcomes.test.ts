import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { publicError } from "../../src/publishers/connection/frames.ts";
import { OUTCOMES } from "../../src/publishers/connection/outcomes.ts";

const protocol = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");

/** The rows of section 7: HTTP status, close code, and the codes that have them; a cell may be empty. */
const ROWS = [...protocol.matchAll(/^\| *(\d*) *\| *(\d*) *\| *(`[A-Z_`, ]+`) *\|/gm)].flatMap(
  ([, status = "", closeCode = "", codes = ""]) =>
    [...codes.matchAll(/`(\w+)`/g)].map(([, code = ""]) => ({ code, status, closeCode })),
);
/** Of routes that are no streams: the sections about them have these. */
const OF_OTHER_SECTIONS = [
  "NOT_FOUND",
  "NO_EVENT",
  "NO_OBJECT",
  "NO_DATA",
  "NO_CONSUMER",
  "NO_DELIVERY",
  "NO_SILENCE",
  "NO_TRAIL",
];

it("PROTOCOL.md has every code that clients are told", () => {
  const documented = [...ROWS.map(({ code }) => code), ...OF_OTHER_SECTIONS];
  expect(documented.toSorted()).toEqual([...OUTCOMES.keys()].toSorted());
  for (const code of OF_OTHER_SECTIONS) expect(protocol).toContain(`404 \`${code}\``);
});

it.each(ROWS)("what PROTOCOL.md says of $code is what happens", ({ code, status, closeCode }) => {
  const outcome = OUTCOMES.get(code);
  expect(["", String(outcome?.status)]).toContain(status);
  expect(["", String(outcome?.closeCode)]).toContain(closeCode);
});

it("keeps what a defect says from the subscriber", () => {
  expect(JSON.stringify(publicError(new TypeError("secret detail")))).not.toContain("secret");
});
