import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { FOR_ALL, type ConsumerActor } from "../../feed/log.ts";
import { EVERYTHING, type Access } from "../../publishers/selection/access.ts";
import type { Asker } from "../../reads/job-versions/job-versions.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { credentialsOf } from "./credentials.ts";
import { Grants, type Grant, type GrantsOptions } from "./grants.ts";
import { addressOf, type Limits } from "./limits.ts";
import type { Sessions } from "./sessions.ts";
import { Tickets } from "./tickets.ts";

export interface RecheckOptions {
  /** How long a decision about a token stays valid, and how often that of an open stream is checked. */
  readonly recheckIntervalMs?: number;
  /** For how long the last decision counts while Nomad is away. */
  readonly keepWhileAwayMs?: number;
  /** For how long it counts while Nomad refuses the token again and again; more than the interval. */
  readonly keepWhileRefusedMs?: number;
}

interface Principal {
  readonly token: string | undefined;
  /** Whether the request brings it itself: not by a ticket or a cookie. */
  readonly isOwnToken: boolean;
  /** Undefined where nobody is asked. */
  readonly grant: Grant | undefined;
}

const RECHECK_INTERVAL_MS = 20_000;
const KEEP_WHILE_AWAY_MS = 5 * 60_000;
/** A revoked token ends by then. Two questions more than the one that was refused first fit in before. */
const KEEP_WHILE_REFUSED_MS = 30_000;

/** Who the requests are from, and what they may see. */
export class Principals {
  readonly #limits: Pick<Limits, "assertRoom">;
  readonly #tickets: Tickets;
  readonly #sessions: Pick<Sessions, "tokenOf">;
  readonly #grants: Grants | undefined;
  /** A request is asked once, since its ticket is good once. */
  readonly #principals = new WeakMap<IncomingMessage, Promise<Principal>>();

  /** Without authenticators nobody is asked who they are. */
  constructor(
    options: RecheckOptions & Pick<GrantsOptions, "authenticators" | "kinds">,
    deps: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly limits: Pick<Limits, "assertRoom">;
      readonly sessions: Pick<Sessions, "tokenOf">;
    },
  ) {
    const { authenticators } = options;
    this.#limits = deps.limits;
    this.#tickets = new Tickets(deps.clock);
    this.#sessions = deps.sessions;
    this.#grants =
      authenticators.length === 0
        ? undefined
        : new Grants({
            ...deps,
            authenticators,
            kinds: options.kinds,
            recheckIntervalMs: options.recheckIntervalMs ?? RECHECK_INTERVAL_MS,
            keepForMs: options.keepWhileAwayMs ?? KEEP_WHILE_AWAY_MS,
            keepRefusedForMs: options.keepWhileRefusedMs ?? KEEP_WHILE_REFUSED_MS,
          });
  }

  get authRequired(): boolean {
    return this.#grants !== undefined;
  }

  /**
   * What the request may see; the answer is alive as long as it is used.
   * @throws Unauthorized, Forbidden, AuthUnavailable, InvalidParameter
   */
  async accessOf(request: IncomingMessage): Promise<Access> {
    const { grant } = await this.#principalOf(request);
    return grant?.access ?? EVERYTHING;
  }

  /** What the log calls the one who asks; undefined where that is not known, or nobody is asked. */
  async nameOf(request: IncomingMessage): Promise<string | undefined> {
    const principal = await this.#principals.get(request)?.catch(() => undefined);
    return principal?.grant?.access.name;
  }

  /** In whose name the request makes and moves consumers. @throws as accessOf */
  async actorOf(request: IncomingMessage): Promise<ConsumerActor> {
    const { grant } = await this.#principalOf(request);
    return grant?.actor ?? FOR_ALL;
  }

  /**
   * In whose name Nomad is asked for the request: in that of its token, where Nomad knows it, else in the feed's own. A
   * token that is not Nomad's is never sent there. @throws as accessOf
   */
  async askerOf(request: IncomingMessage): Promise<Asker> {
    const { token, grant } = await this.#principalOf(request);
    return grant?.isNomads === true ? { token } : "feed";
  }

  /** Whether it brings a token, which then is good. @throws as accessOf */
  async hasToken(request: IncomingMessage): Promise<boolean> {
    return (await this.#principalOf(request)).token !== undefined;
  }

  /** The token that the request brings itself, not by a ticket or a cookie. @throws as accessOf */
  async ownTokenOf(request: IncomingMessage): Promise<string | undefined> {
    const { token, isOwnToken } = await this.#principalOf(request);
    return isOwnToken ? token : undefined;
  }

  /** A ticket that stands for the request's token. @throws as accessOf, and LimitReached */
  async ticketFor(request: IncomingMessage): Promise<{ ticket: string; expiresAtMs: number }> {
    const { token } = await this.#principalOf(request);
    return this.#tickets.issue(token);
  }

  /**
   * Counts the request's connection among the streams of its token until it closes.
   * @throws as accessOf, and LimitReached
   */
  async takePlace(request: IncomingMessage): Promise<void> {
    const { grant } = await this.#principalOf(request);
    const { socket } = request;
    if (grant === undefined || grant.connections.has(socket)) return;
    this.#limits.assertRoom(grant.connections.size);
    grant.connections.add(socket);
    onClose(socket, () => grant.connections.delete(socket));
  }

  /** Ends the stream where its token is no longer good. The stream's connection closes with it. */
  async hold(request: IncomingMessage, end: (error: Error) => void): Promise<void> {
    const { grant } = await this.#principalOf(request);
    if (grant !== undefined) onClose(request.socket, grant.watch(end));
  }

  #principalOf(request: IncomingMessage): Promise<Principal> {
    const known = this.#principals.get(request);
    if (known !== undefined) return known;
    const principal = this.#authenticate(request);
    principal.catch(() => undefined);
    this.#principals.set(request, principal);
    return principal;
  }

  async #authenticate(request: IncomingMessage): Promise<Principal> {
    const { token: given, ticket } = credentialsOf(request);
    const token =
      given ?? (ticket === undefined ? await this.#sessionOf(request) : this.#tickets.redeem(ticket));
    const grant = await this.#grants?.of(token, addressOf(request.socket));
    return { token, isOwnToken: given !== undefined, grant };
  }

  /** A cookie counts only where nothing else says who asks, and nobody is kept out by one where nobody is asked. */
  async #sessionOf(request: IncomingMessage): Promise<string | undefined> {
    return this.authRequired ? this.#sessions.tokenOf(request) : undefined;
  }
}

function onClose(socket: Socket, action: () => void): void {
  if (socket.destroyed) action();
  else socket.once("close", action);
}
