import { describe, expect, test } from "vitest";
import { publicError } from "../../src/publishers/connection/frames.ts";
import { outcomeOf, speaksForItself } from "../../src/publishers/connection/outcomes.ts";
import { ERROR_CODES, type ErrorCode } from "../../src/schemas/error-codes.ts";
import { ChangefeedError } from "../../src/schemas/errors.ts";
import { publicReason, publicText } from "../../src/schemas/public-text.ts";

class Trouble extends ChangefeedError {
  readonly code: ErrorCode;
  /** Of any text: a library beside this one may have other codes. */
  constructor(code: string) {
    super("The log /var/lib/feed.db at redis://ops@10.1.2.3:6379 of http://nomad.internal:4646 failed", {
      hint: "Look at /var/lib, ask ops@10.1.2.3",
    });
    this.code = code as ErrorCode;
  }
}

const codes = Object.keys(ERROR_CODES);
const INSIDE = /var|lib|feed\.db|redis:|ops|10\.1|internal|4646/;

describe("what everybody may read", () => {
  const ofOurs = codes.filter((code) => !speaksForItself(new Trouble(code)));

  test.each(["constructor", ...ofOurs])("of %s names nothing of ours", (code) => {
    const error = new Trouble(code);
    for (const text of [
      JSON.stringify(publicError(error)),
      JSON.stringify(publicText(error)),
      publicReason(error),
    ]) {
      expect(text).not.toMatch(INSIDE);
    }
    expect(publicError(error)).toMatchObject({ code, message: expect.stringMatching(/^(The|Nomad)/) });
    expect(publicReason(error)).toContain(`(${code})`);
  });

  test("of a code that nobody knows is that the server failed", () => {
    const error = new Trouble("constructor");
    expect(publicError(error)).toMatchObject({ message: "The server failed" });
    expect(outcomeOf(error)).toMatchObject({ status: 500, closeCode: 1011 });
    expect(error.retryable).toBe(false);
  });

  test("of a defect is that there was one", () => {
    const defect = new Error("ENOENT /var/lib/feed.db");
    expect(publicError(defect)).toMatchObject({ code: "INTERNAL", message: "The server failed" });
    expect(publicReason(defect)).toBe("The server failed");
  });

  test("of what is wrong with a request is all of it", () => {
    const error = new Trouble("INVALID_PARAMETER");
    expect(publicError(error)).toEqual({ code: error.code, message: error.message, hint: error.hint });
  });

  test("tells the codes of Nomad and of the log apart", () => {
    expect(codes.filter((code) => /^(NOMAD|LOG)_/.test(code)).length).toBeGreaterThan(15);
    expect(publicReason(new Trouble("NOMAD_TIMEOUT"))).toBe("Nomad does not answer in time (NOMAD_TIMEOUT)");
    expect(publicReason(new Trouble("LOG_FULL"))).toBe("The log has no room right now (LOG_FULL)");
  });
});
