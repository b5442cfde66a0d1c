import { describe, expect, expectTypeOf, it } from "vitest";
import type { ClientOptionInvalid, RefusalReason, StreamRefused } from "../../packages/client/src/errors.ts";
import { verdictOf } from "../../packages/client/src/endings.ts";
import { OUTCOMES } from "../../src/publishers/connection/outcomes.ts";
import { ERROR_CODES, type ErrorCode } from "../../src/schemas/error-codes.ts";
import { ChangefeedError } from "../../src/schemas/errors.ts";
import { errorDocs } from "../support/error-docs.ts";
import { sourceFiles } from "../support/sources.ts";

it("docs/errors.md lists every code as the table has it", async () => {
  await expect(errorDocs()).toMatchFileSnapshot("../../docs/errors.md");
});

it("every code in the table is the code of some error", () => {
  const elsewhere = sourceFiles().filter(({ path }) => path !== "src/schemas/error-codes.ts");
  const unused = Object.keys(ERROR_CODES).filter(
    (code) => !elsewhere.some(({ text }) => text.includes(`"${code}"`)),
  );
  expect(unused).toEqual([]);
});

it("an error whose code is not in the table does not compile", () => {
  class Unlisted extends ChangefeedError {
    // @ts-expect-error -- no such code in the table
    readonly code = "UNLISTED";
  }
  expect(new Unlisted("").code).toBe("UNLISTED");
});

describe("the client, which does without the table,", () => {
  it("has codes of the table for its own errors, and names none that a server does not have", () => {
    expectTypeOf<(StreamRefused | ClientOptionInvalid)["code"]>().toExtend<ErrorCode>();
    /** The named ones among all texts. */
    type Named<Text> = Text extends string ? (string extends Text ? never : Text) : never;
    type OfItsOwn = "NOT_A_FEED" | "TLS_FAILED";
    expectTypeOf<Exclude<Named<RefusalReason>, OfItsOwn>>().toExtend<ErrorCode>();
  });

  it("knows what a close code means where the error frame got lost", () => {
    const found: string[] = [];
    for (const { closeCode } of OUTCOMES.values()) {
      const closed = { kind: "closed", code: closeCode, opened: true } as const;
      const verdict = verdictOf({ ...closed, problem: undefined, isUntrusted: false }, {}, "http://feed");
      if (verdict.kind !== "refused" && verdict.kind !== "lost") continue;
      const { reason } = verdict.error;
      if (reason === "NOT_A_FEED") continue;
      found.push(reason);
      expect(OUTCOMES.get(reason)).toMatchObject({ closeCode });
    }
    expect(new Set(found)).toEqual(
      new Set([
        "INVALID_PARAMETER",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "EPOCH_CHANGED",
        "CURSOR_EXPIRED",
        "FUTURE_CURSOR",
      ]),
    );
  });
});
