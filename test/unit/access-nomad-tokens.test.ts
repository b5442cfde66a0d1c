import { expect, it } from "vitest";
import { NomadTokens, type AskNomad } from "../../src/http/access/nomad-tokens.ts";
import { aborted } from "../../src/shared/aborted.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { TestClock } from "../support/test-clock.ts";

it("a token that Nomad says nothing about is refused after fifteen seconds, also where it waits for its turn", async () => {
  const clock = new TestClock();
  let asked = 0;
  const ask: AskNomad = async (_token, signal) => {
    asked += 1;
    await aborted(signal);
    throw signal.reason;
  };
  const tokens = new NomadTokens(ask, {
    logger: silentLogger(),
    openWithoutAcls: false,
    atOnce: 1,
    clock,
  });
  const ends: unknown[] = [];
  for (const token of ["first", "second"]) {
    tokens.identify(token, { address: token, known: false }).catch((error: unknown) => ends.push(error));
  }
  await clock.advance(14_999);
  expect({ asked, ends }).toEqual({ asked: 1, ends: [] });
  await clock.advance(1);
  expect(ends).toMatchObject([{ code: "AUTH_UNAVAILABLE" }, { code: "AUTH_UNAVAILABLE" }]);
});
