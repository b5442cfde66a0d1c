import { createHash } from "node:crypto";
import type { ConsumerActor } from "../../feed/log.ts";
import { covers, type Access } from "../../publishers/selection/access.ts";
import type { ResourceType } from "../../schemas/resources.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Forbidden } from "../errors.ts";
import { AuthUnavailable, Unauthorized } from "./errors.ts";
import type { Requester } from "./fair-slots.ts";
import type { Authenticator, Identity } from "./identity.ts";

export interface GrantsOptions {
  /** Asked in turn; the first that knows a token decides. */
  readonly authenticators: readonly Authenticator[];
  readonly logger: Logger;
  readonly clock: Clock;
  /** How long a decision stays valid, and how often that of an open stream is checked. */
  readonly recheckIntervalMs: number;
  /** For how long the last decision counts while nobody can be asked. */
  readonly keepForMs: number;
  /** For how long it counts while the token is refused again and again; more than the interval. */
  readonly keepRefusedForMs: number;
  /** What the feed watches, or ever did; who may see all of that may see all. Absent: may be anything. */
  readonly kinds?: readonly ResourceType[] | undefined;
}

/** Of a token that is good. */
interface Answer {
  readonly identity: Identity;
  /** When the asking began: many namespaces take many questions, and it may be revoked meanwhile. */
  readonly askedAtMs: number;
}

const MAX_REMEMBERED = 10_000;
const ASK_AGAIN_MS = 5000;

/**
 * What a token is allowed, shared by all that use it. Its access is alive: it answers by the newest decision.
 * While streams are open it is checked again and again; they end where the token is no longer good.
 */
export class Grant {
  /** Connections of streams, for the limit. */
  readonly connections = new Set<object>();
  readonly access: Access;
  readonly #token: string | undefined;
  readonly #options: GrantsOptions;
  readonly #streams = new Set<(error: Error) => void>();
  #identity: Identity;
  /** By the clock that nobody sets, as all times here. */
  #decidedAtMs: number;
  /** When it was last good, or, where it was not refused since, nobody could be asked whether it is. */
  #unrefusedAtMs: number;
  /** Whether it was refused since it was last good: while nobody can be asked then, that is the last answer there is. */
  #wasRefused = false;
  #expiresAtMs: number;
  /** While nobody can be asked, or the token is refused, not every request must find that out by waiting. */
  #askAgainAtMs = 0;
  #cancelRecheck: (() => void) | undefined;
  #checking: Promise<void> | undefined;

  constructor(token: string | undefined, { identity, askedAtMs }: Answer, options: GrantsOptions) {
    this.#token = token;
    this.#identity = identity;
    this.#options = options;
    this.#decidedAtMs = this.#unrefusedAtMs = askedAtMs;
    this.#expiresAtMs = expiryOf(identity, options);
    this.access = {
      name: identity.name,
      ...(options.kinds !== undefined && { kinds: options.kinds }),
      maySee: (visible) => covers(this.#identity.rights, visible),
    };
  }

  /** What is made in this token's name is its own. */
  get actor(): ConsumerActor {
    const { name, manages = false } = this.#identity;
    return { owner: name, manages };
  }

  /** Whether Nomad knows the token, so that it can be asked in its name. */
  get isNomads(): boolean {
    return this.#identity.isNomads === true;
  }

  /** Whether nothing holds it. */
  get idle(): boolean {
    return this.#streams.size === 0 && this.connections.size === 0;
  }

  /** Resolves when what is known is fresh enough. @throws Unauthorized, Forbidden, AuthUnavailable */
  async refresh(): Promise<void> {
    const now = this.#options.clock.elapsed();
    const isFresh = now - this.#decidedAtMs < this.#options.recheckIntervalMs || now < this.#askAgainAtMs;
    if (now < this.#expiresAtMs && isFresh) return;
    await (this.#checking ??= this.#check().finally(() => (this.#checking = undefined)));
  }

  /** Ends the stream where the token is no longer good. The returned function lets go of it. */
  watch(end: (error: Error) => void): () => void {
    this.#streams.add(end);
    this.#schedule();
    return () => {
      this.#streams.delete(end);
      if (this.#streams.size === 0) this.#cancelRecheck?.();
    };
  }

  async #check(): Promise<void> {
    const { clock } = this.#options;
    try {
      const { identity, askedAtMs } = await identify(this.#token, ITSELF, this.#options);
      this.#identity = identity;
      this.#decidedAtMs = this.#unrefusedAtMs = askedAtMs;
      this.#wasRefused = false;
      this.#expiresAtMs = expiryOf(identity, this.#options);
    } catch (error) {
      const now = clock.elapsed();
      if (error instanceof Unauthorized || error instanceof Forbidden) this.#wasRefused = true;
      const goodUntilMs = this.#goodUntil(error);
      if (error instanceof AuthUnavailable && now >= this.#expiresAtMs) throw expired();
      if (now >= goodUntilMs) throw error;
      if (!this.#wasRefused) this.#unrefusedAtMs = now;
      this.#askAgainAtMs = Math.min(now + ASK_AGAIN_MS, goodUntilMs);
    }
  }

  /**
   * For how long the last decision counts although this was answered. One refusal is no proof: a server of Nomad that
   * starts refuses every token until it has read its own state.
   */
  #goodUntil(error: unknown): number {
    const { keepForMs, keepRefusedForMs } = this.#options;
    const isRefusal = error instanceof Unauthorized || error instanceof Forbidden;
    if (!isRefusal && !(error instanceof AuthUnavailable)) return Number.NEGATIVE_INFINITY;
    const awayUntilMs = Math.min(this.#decidedAtMs + keepForMs, this.#expiresAtMs);
    return this.#wasRefused ? Math.min(this.#unrefusedAtMs + keepRefusedForMs, awayUntilMs) : awayUntilMs;
  }

  #schedule(): void {
    const { clock, recheckIntervalMs } = this.#options;
    this.#cancelRecheck?.();
    if (this.#streams.size === 0) return;
    const checkAtMs = Math.max(this.#unrefusedAtMs + recheckIntervalMs, this.#askAgainAtMs);
    const waitMs = Math.max(0, Math.min(checkAtMs, this.#expiresAtMs) - clock.elapsed());
    this.#cancelRecheck = clock.after(waitMs, () => void this.#recheck());
  }

  /** Never rejects. */
  async #recheck(): Promise<void> {
    try {
      if (this.#options.clock.elapsed() >= this.#expiresAtMs) throw expired();
      await (this.#checking ??= this.#check().finally(() => (this.#checking = undefined)));
      this.#schedule();
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      const { name } = this.access;
      this.#options.logger.info(
        { subscriber: name, streams: this.#streams.size, reason: reason.message },
        "token no longer valid; ending its streams",
      );
      // What is on its way to them must not be more than they may see; whoever comes next is asked for anew.
      this.#identity = { ...this.#identity, rights: NO_RIGHTS };
      this.#decidedAtMs = this.#unrefusedAtMs = Number.NEGATIVE_INFINITY;
      this.#askAgainAtMs = 0;
      this.#streams.forEach((end) => end(reason));
    }
  }
}

/** When its time is over, by the clock that nobody sets. */
function expiryOf(
  { expiresAtMs = Number.POSITIVE_INFINITY }: Identity,
  { clock }: Pick<GrantsOptions, "clock">,
): number {
  return clock.elapsed() + (expiresAtMs - clock.now());
}

function expired(): Unauthorized {
  return new Unauthorized("The token has expired", "Get a new token");
}

/** A token that was good is checked again. */
const ITSELF: Requester = { address: "", known: true };

const NO_RIGHTS: Identity["rights"] = {
  mayList: () => false,
  mayListEverywhere: () => false,
  mayRead: () => false,
  mayKnow: () => false,
  none: true,
};

/** The decisions about tokens, by the tokens' hashes; no token is a key or a name. */
export class Grants {
  readonly #options: GrantsOptions;
  readonly #grants = new Map<string, Grant>();
  readonly #asking = new Map<string, Promise<Grant>>();

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  /** @throws Unauthorized, Forbidden, AuthUnavailable */
  async of(token: string | undefined, address: string): Promise<Grant> {
    const key = token === undefined ? "" : createHash("sha256").update(token).digest("base64");
    const known = this.#grants.get(key);
    if (known === undefined) return this.#ask(key, token, address);
    try {
      await known.refresh();
      return known;
    } catch (error) {
      // Its streams hear of it by their own check.
      if (!(error instanceof AuthUnavailable)) this.#grants.delete(key);
      throw error;
    }
  }

  async #ask(key: string, token: string | undefined, address: string): Promise<Grant> {
    const asking =
      this.#asking.get(key) ??
      this.#decide(key, token, address).finally(() => {
        this.#asking.delete(key);
      });
    this.#asking.set(key, asking);
    return asking;
  }

  async #decide(key: string, token: string | undefined, address: string): Promise<Grant> {
    const answer = await identify(token, { address, known: false }, this.#options);
    const grant = new Grant(token, answer, this.#options);
    this.#makeRoom();
    this.#grants.set(key, grant);
    return grant;
  }

  #makeRoom(): void {
    if (this.#grants.size < MAX_REMEMBERED) return;
    for (const [key, grant] of this.#grants) if (grant.idle) this.#grants.delete(key);
  }
}

async function identify(
  token: string | undefined,
  requester: Requester,
  { authenticators, clock }: Pick<GrantsOptions, "authenticators" | "clock">,
): Promise<Answer> {
  const askedAtMs = clock.elapsed();
  for (const authenticator of authenticators) {
    const identity = await authenticator.identify(token, requester);
    if (identity === undefined) continue;
    if (!identity.rights.none) return { identity, askedAtMs };
    if (token !== undefined) throw new Forbidden("This token may see nothing of the feed", NOTHING_TO_SEE);
  }
  throw token === undefined
    ? new Unauthorized("A token is needed here")
    : new Unauthorized("The token is not known", "Get a new token");
}

const NOTHING_TO_SEE = {
  hint: "It needs list-jobs or read-job in a namespace, or node:read; in a file of tokens, namespaces and resources",
};
