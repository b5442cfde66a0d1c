import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";
import { NomadError, type NomadErrorCode } from "../../src/nomad/errors.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { QueryWait } from "../../src/pollers/query-wait.ts";
import { recordingLogger } from "../support/recording-logger.ts";

const ended = (heldMs: number | undefined, status: number | undefined, code: NomadErrorCode) =>
  new NomadError(code, "ended", {
    retryable: true,
    hint: "",
    ...(heldMs !== undefined && { heldMs }),
    ...(status !== undefined && { status }),
  });
const gatewayTimeout = (heldMs: number) => ended(heldMs, 504, "NOMAD_SERVER_ERROR");

function watching(waitMs: number) {
  let nowMs = 0;
  const { logger, lines } = recordingLogger();
  const wait = new QueryWait(waitMs, logger, { ...systemClock, elapsed: () => nowMs });
  /** A query that begins now, and fails after that time. */
  const fails = (error: NomadError): boolean => {
    nowMs += error.heldMs ?? 0;
    return wait.endedEarly(error, waitMs);
  };
  return { wait, lines, fails, back: (ms: number) => void (nowMs -= ms) };
}

describe("QueryWait", () => {
  it("lets no query last 60 s by default, which is where many proxies end what is silent", () => {
    const { config } = resolveConfig({ flags: {}, env: {} });
    expect((config.waitMs * 17) / 16).toBeLessThan(60_000);
  });

  it("shortens the wait when a second query ends at about the same age, once", () => {
    const { wait, lines, fails } = watching(120_000);
    expect(fails(gatewayTimeout(60_020))).toBe(true);
    expect(wait.waitMs).toBe(120_000);
    expect(fails(gatewayTimeout(60_090))).toBe(true);
    expect((wait.waitMs * 17) / 16).toBeLessThan(60_000);
    expect(wait.waitMs).toBeGreaterThan(50_000);
    fails(gatewayTimeout(60_050));
    expect(lines).toHaveLength(1);
  });

  it("does not learn from queries that one restart ended together", () => {
    const { wait, fails, back } = watching(55_000);
    fails(gatewayTimeout(20_000));
    back(20_000);
    fails(gatewayTimeout(20_010));
    expect(wait.waitMs).toBe(55_000);
  });

  it("does not learn from ages that differ", () => {
    const { wait, fails } = watching(55_000);
    expect(fails(gatewayTimeout(20_000))).toBe(true);
    expect(fails(gatewayTimeout(30_000))).toBe(true);
    expect(wait.waitMs).toBe(55_000);
  });

  it.each<[string, NomadError, boolean]>([
    ["408", ended(30_000, 408, "NOMAD_UNEXPECTED_STATUS"), true],
    ["502", ended(30_000, 502, "NOMAD_SERVER_ERROR"), true],
    ["503", ended(30_000, 503, "NOMAD_SERVER_ERROR"), true],
    ["a page", ended(30_000, 200, "NOMAD_BAD_RESPONSE"), true],
    ["a lost connection", ended(30_000, undefined, "NOMAD_UNREACHABLE"), true],
    ["a connection that was never had", ended(undefined, undefined, "NOMAD_UNREACHABLE"), false],
    ["an answer at once", ended(30, 502, "NOMAD_SERVER_ERROR"), false],
    ["a gateway that looked for Nomad all the time", ended(60_000, 504, "NOMAD_SERVER_ERROR"), false],
    ["an election", ended(30_000, 500, "NOMAD_NO_LEADER"), false],
    ["an expired token", ended(30_000, 403, "NOMAD_TOKEN_EXPIRED"), false],
  ])("takes %s for an early end: %#", (_what, error, expected) => {
    expect(watching(55_000).fails(error)).toBe(expected);
  });
});
