import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CursorExpired, EpochChanged, FutureCursor, LogUnavailable } from "../../src/feed/errors.ts";
import { Forbidden } from "../../src/http/errors.ts";
import {
  GoingAway,
  InvalidMessage,
  Restarting,
  TooCostly,
  TooSlow,
} from "../../src/publishers/connection/errors.ts";
import { publicError } from "../../src/publishers/connection/frames.ts";
import { outcomeOf } from "../../src/publishers/connection/outcomes.ts";
import { InvalidParameter } from "../../src/schemas/subscription-schema.ts";

const protocol = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
const cursor = { epoch: "abc", sequence: 1 };

describe("what PROTOCOL.md says of each error is what happens", () => {
  it.each([
    new GoingAway(),
    new Restarting(),
    new TooSlow(60_000),
    new TooCostly(30_000),
    new InvalidMessage(),
    new InvalidParameter("bad", "types", ["jobs"]),
    new Forbidden("Not from there"),
    new LogUnavailable("away"),
    new CursorExpired(cursor, cursor),
    new FutureCursor(cursor, cursor),
    new EpochChanged(cursor, cursor),
    new TypeError("defect"),
  ])("%s", (error) => {
    const { code } = publicError(error);
    const row = protocol
      .split("\n")
      .find((line) => /^\| *\d* *\| *\d+ *\|/.test(line) && line.includes(`\`${code}\``));
    const [, status = "", closeCode] = (row ?? "").split("|").map((cell) => cell.trim());
    const outcome = outcomeOf(error);
    expect(Number(closeCode)).toBe(outcome.closeCode);
    expect(["", String(outcome.status)]).toContain(status);
  });

  it("keeps what a defect says from the subscriber", () => {
    expect(JSON.stringify(publicError(new TypeError("secret detail")))).not.toContain("secret");
  });
});
