import { beforeEach, describe, expect, it, vi } from "vitest";
import { AuthUnavailable, Unauthorized } from "../../src/http/access/errors.ts";
import { Grants, type GrantsOptions } from "../../src/http/access/grants.ts";
import type { Authenticator, Identity } from "../../src/http/access/identity.ts";
import { ALL_RIGHTS } from "../../src/schemas/rights.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { TestClock } from "../support/test-clock.ts";

const JOB = { resource: "jobs", namespace: "default", key: "web" };
const RECHECK_MS = 20_000;
const KEEP_MS = 300_000;
const KEEP_REFUSED_MS = 30_000;

/** What the authenticator says next: of a token, that it is unknown, or that nobody can be asked. */
let says: Identity | undefined | Error;
let asked: number;
/** How long it takes to say it. */
let takesMs: number;
let grants: Grants;
let clock: TestClock;
const identity = (part: Partial<Identity> = {}): Identity => ({
  name: "token t",
  rights: ALL_RIGHTS,
  ...part,
});

beforeEach(() => {
  clock = new TestClock();
  asked = 0;
  takesMs = 0;
  says = identity();
  const authenticator: Authenticator = {
    identify: async () => {
      asked += 1;
      const said = says;
      if (takesMs > 0) await clock.sleep(takesMs);
      if (said instanceof Error) throw said;
      return said;
    },
  };
  const options: GrantsOptions = {
    authenticators: [authenticator],
    logger: silentLogger(),
    clock,
    recheckIntervalMs: RECHECK_MS,
    keepForMs: KEEP_MS,
    keepRefusedForMs: KEEP_REFUSED_MS,
  };
  grants = new Grants(options);
});

const of = (token: string | undefined = "t") => grants.of(token, "192.0.2.1");
const pass = (ms: number) => clock.advance(ms);

describe("a token's stream", () => {
  it("may see nothing more at the moment when it ends", async () => {
    const grant = await of();
    const seen: unknown[] = [];
    grant.watch((error) => seen.push(error.name, grant.access.maySee(JOB)));
    expect(grant.access.maySee(JOB)).toBe(true);
    says = undefined;
    await pass(KEEP_REFUSED_MS);
    expect(seen).toEqual(["Unauthorized", false]);
  });

  it("ends at its expiry, by which nobody need be asked", async () => {
    says = identity({ expiresAtMs: clock.now() + 10_000 });
    const grant = await of();
    const ended = vi.fn<(error: Error) => void>();
    grant.watch(ended);
    await pass(9999);
    expect(ended).not.toHaveBeenCalled();
    await pass(2);
    expect(ended).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: "The token has expired" }),
    );
    expect(asked).toBe(1);
  });

  it("ends at its expiry while nobody can be asked, not later", async () => {
    says = identity({ expiresAtMs: clock.now() + RECHECK_MS + 10_000 });
    const grant = await of();
    const ended = vi.fn<(error: Error) => void>();
    grant.watch(ended);
    says = new AuthUnavailable();
    await pass(RECHECK_MS + 9_000);
    expect(ended).not.toHaveBeenCalled();
    await pass(1_001);
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.any(Unauthorized));
    await expect(of()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  it("goes on while nobody can be asked, for as long as the last decision counts", async () => {
    const grant = await of();
    const ended = vi.fn<(error: Error) => void>();
    grant.watch(ended);
    says = new AuthUnavailable();
    await pass(KEEP_MS - 1);
    expect(ended).not.toHaveBeenCalled();
    await pass(RECHECK_MS + 1);
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.any(AuthUnavailable));
  });

  it("is checked no more once it has closed", async () => {
    const letGo = (await of()).watch(() => undefined);
    await pass(RECHECK_MS);
    expect(asked).toBe(2);
    letGo();
    await pass(RECHECK_MS * 10);
    expect(asked).toBe(2);
  });

  it("is told of a token with a far expiry only when it is over: timers are not that long", async () => {
    says = identity({ expiresAtMs: clock.now() + 100 * 86_400_000 });
    const ended = vi.fn<(error: Error) => void>();
    (await of()).watch(ended);
    await pass(RECHECK_MS * 3);
    expect(ended).not.toHaveBeenCalled();
    expect(asked).toBe(4);
  });
});

describe("a refusal of a token that was good", () => {
  const watched = async () => {
    const grant = await of();
    const ended = vi.fn<(error: Error) => void>();
    grant.watch(ended);
    return { grant, ended };
  };

  it.each([
    ["that nobody knows it", undefined],
    ["that it may see nothing", identity({ rights: { ...ALL_RIGHTS, none: true } })],
  ])(
    "(%s) ends nothing where it is taken back: a server of Nomad that starts refuses all",
    async (_, refusal) => {
      const { grant, ended } = await watched();
      says = refusal;
      await pass(RECHECK_MS);
      expect(asked).toBe(2);
      expect(grant.access.maySee(JOB)).toBe(true);
      says = identity();
      await pass(RECHECK_MS * 10);
      expect(grant.access.maySee(JOB)).toBe(true);
      expect(ended).not.toHaveBeenCalled();
    },
  );

  it("ends nothing either where Nomad was away before", async () => {
    const { ended } = await watched();
    says = new AuthUnavailable();
    await pass(RECHECK_MS * 5);
    says = undefined;
    await pass(RECHECK_MS);
    says = identity();
    await pass(RECHECK_MS * 10);
    expect(ended).not.toHaveBeenCalled();
  });

  it("does not keep others from using it", async () => {
    const { grant } = await watched();
    says = undefined;
    await pass(RECHECK_MS);
    expect(await of()).toBe(grant);
  });

  it("ends its streams where it is repeated, half a minute after it was last good", async () => {
    const { ended } = await watched();
    says = undefined;
    await pass(KEEP_REFUSED_MS - 1);
    expect(ended).not.toHaveBeenCalled();
    await pass(1);
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.any(Unauthorized));
    await expect(of()).rejects.toBeInstanceOf(Unauthorized);
  });

  it("ends them no later where the stream came some time after the token was asked about", async () => {
    await of();
    await pass(RECHECK_MS - 1);
    const { ended } = await watched();
    says = undefined;
    await pass(KEEP_REFUSED_MS - RECHECK_MS + 1);
    expect(ended).toHaveBeenCalledOnce();
  });

  it("ends them no later where it took long to say that it was good", async () => {
    const { ended } = await watched();
    takesMs = 10_000;
    await pass(RECHECK_MS + 1);
    says = undefined;
    takesMs = 0;
    await pass(KEEP_REFUSED_MS);
    expect(ended).toHaveBeenCalledOnce();
  });

  it("is the last answer there is while nobody can be asked after it", async () => {
    const { ended } = await watched();
    says = undefined;
    await pass(RECHECK_MS);
    says = new AuthUnavailable();
    await pass(KEEP_REFUSED_MS - RECHECK_MS - 1);
    expect(ended).not.toHaveBeenCalled();
    await pass(1);
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.any(AuthUnavailable));
    await expect(of()).rejects.toBeInstanceOf(AuthUnavailable);
    says = identity();
    expect((await of()).access.maySee(JOB)).toBe(true);
  });

  it("counts at once where nobody asked about the token meanwhile", async () => {
    await of();
    await pass(KEEP_REFUSED_MS);
    says = undefined;
    await expect(of()).rejects.toBeInstanceOf(Unauthorized);
    expect(asked).toBe(2);
  });

  it("counts no longer than the last decision does while nobody can be asked", async () => {
    const { ended } = await watched();
    says = new AuthUnavailable();
    await pass(KEEP_MS - 1);
    says = undefined;
    await pass(RECHECK_MS);
    expect(ended).toHaveBeenCalledExactlyOnceWith(expect.any(Unauthorized));
  });
});

describe("a decision", () => {
  it("stays valid for the interval, then is made anew, for all who ask at once", async () => {
    await of();
    await pass(RECHECK_MS - 1);
    await of();
    expect(asked).toBe(1);
    await pass(1);
    await Promise.all([of(), of(), of()]);
    expect(asked).toBe(2);
  });

  it("is as old as the question", async () => {
    takesMs = 10_000;
    const first = of();
    await pass(takesMs);
    await first;
    takesMs = 0;
    await pass(RECHECK_MS - 10_000);
    await of();
    expect(asked).toBe(2);
  });

  it("is one for all that use the token at once, and another for each token and for none", async () => {
    const [one, same] = await Promise.all([of("a"), of("a")]);
    expect(one).toBe(same);
    expect(await of("b")).not.toBe(one);
    expect(await of(undefined)).not.toBe(one);
    expect(asked).toBe(3);
  });

  it("that went against the token is forgotten: it may be good again", async () => {
    await of();
    await pass(KEEP_REFUSED_MS);
    says = undefined;
    await expect(of()).rejects.toBeInstanceOf(Unauthorized);
    says = identity({ name: "token again" });
    expect((await of()).access.name).toBe("token again");
  });

  it("is not waited for at every request while nobody can be asked", async () => {
    await of();
    await pass(RECHECK_MS);
    says = new AuthUnavailable();
    await of();
    await of();
    expect(asked).toBe(2);
    await pass(5000);
    await of();
    expect(asked).toBe(3);
  });

  it("narrows what is seen from then on, on a grant that was handed out before", async () => {
    const { access } = await of();
    await pass(RECHECK_MS);
    says = identity({ rights: { ...ALL_RIGHTS, mayList: (_resource, namespace) => namespace === "qa" } });
    await of();
    expect([access.maySee(JOB), access.maySee({ ...JOB, namespace: "qa" })]).toEqual([false, true]);
  });

  it("names who makes consumers, and whether they act for all", async () => {
    expect((await of()).actor).toEqual({ owner: "token t", manages: false });
    says = identity({ name: "boss", manages: true });
    expect((await of("other")).actor).toEqual({ owner: "boss", manages: true });
  });
});
