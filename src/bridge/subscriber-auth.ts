import type { Config } from "../config/config.ts";
import type { Authenticator } from "../http/access/identity.ts";
import { NomadTokens } from "../http/access/nomad-tokens.ts";
import { StaticTokens } from "../http/access/static-tokens.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import { createSubscriberRights } from "../nomad/subscriber-rights.ts";
import type { Clock } from "../shared/clock.ts";
import type { ModuleLoggers } from "../telemetry/logger.ts";

/** Beside those of the blocking queries, which may be taken for minutes. */
const CONNECTIONS = 4;
const REQUEST_TIMEOUT_MS = 10_000;

export interface SubscriberAuth extends AsyncDisposable {
  /** None: nobody is asked who they are. */
  readonly authenticators: readonly Authenticator[];
}

/**
 * How subscribers are known, as the configuration has it. A token of the file is never sent to Nomad.
 * @throws TokensFileInvalid, NomadOptionInvalid
 */
export function subscriberAuth(
  { access, nomad, insecureNoAuth }: Config,
  { loggers, clock }: { readonly loggers: Pick<ModuleLoggers, "nomad" | "http">; readonly clock: Clock },
): SubscriberAuth {
  const deps = { logger: loggers.http, clock };
  const authenticators: Authenticator[] = [];
  if (access.tokensFile !== undefined) authenticators.push(new StaticTokens(access.tokensFile, deps));
  if (!access.askNomad) return { authenticators, [Symbol.asyncDispose]: () => Promise.resolve() };
  const options = { ...nomad, maxConnections: CONNECTIONS, requestTimeoutMs: REQUEST_TIMEOUT_MS };
  const rights = createSubscriberRights(resolveNomadOptions(options), { logger: loggers.nomad, clock });
  authenticators.push(
    new NomadTokens((token, signal) => rights.rightsOf(token, signal), {
      ...deps,
      openWithoutAcls: insecureNoAuth,
      atOnce: CONNECTIONS,
    }),
  );
  return { authenticators, [Symbol.asyncDispose]: () => rights[Symbol.asyncDispose]() };
}
