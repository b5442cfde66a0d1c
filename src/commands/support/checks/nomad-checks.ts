import type { Config } from "../../../config/config.ts";
import { createNomadClient, type NomadClient } from "../../../nomad/client.ts";
import { NomadError, type NomadErrorCode } from "../../../nomad/errors.ts";
import type { AgentSelf, TokenSelf } from "../../../nomad/inspection.ts";
import { resolveNomadOptions } from "../../../nomad/options.ts";
import { header, Requester } from "../../../nomad/requester.ts";
import type { Clock } from "../../../shared/clock.ts";
import { silentLogger } from "../../../telemetry/logger.ts";
import { failure, failureOf, ok, warning, type Check } from "./check.ts";
import { checkRights } from "./rights-check.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const SKEW_WARNING_MS = 3000;
const EXPIRY_WARNING_MS = 24 * 3_600_000;
const REFUSALS: readonly NomadErrorCode[] = ["NOMAD_FORBIDDEN", "NOMAD_UNAUTHORIZED"];

/**
 * Everything about Nomad that decides whether the feed will work, asked of Nomad itself. Answers the region of the
 * agent that answered, where it says.
 */
export async function* checkNomad(
  config: Config,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): AsyncGenerator<Check, string | undefined> {
  const options = resolveNomadOptions({ ...config.nomad, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  const deps = { logger: silentLogger(), clock };
  const requester = new Requester(options, deps);
  const client = createNomadClient(options, deps);
  try {
    const reached = await reach(requester, { skipVerify: options.tls.skipVerify, signal, clock });
    yield* reached;
    if (reached.some(({ status }) => status === "failure")) return undefined;
    const agent = await client.agentSelf(signal);
    yield checkVersion(agent);
    yield await attempt("leader", () => checkLeader(client, signal));
    yield await attempt("token", () => lookAtToken(client, { signal, clock }));
    yield* checkRights(config, client, agent?.maxConnectionsPerClient, signal);
    return agent?.region;
  } catch (error) {
    if (!signal.aborted) yield failureOf("nomad", error);
    return undefined;
  } finally {
    await Promise.all([requester[Symbol.asyncDispose](), client[Symbol.asyncDispose]()]);
  }
}

async function attempt(name: string, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    return failureOf(name, error);
  }
}

async function reach(
  requester: Requester,
  { skipVerify, signal, clock }: { skipVerify: boolean; signal: AbortSignal; clock: Clock },
): Promise<Check[]> {
  try {
    const answer = await requester.send({ path: "/v1/status/leader", signal });
    const { address, elapsedMs, headers } = answer;
    const secure = address.startsWith("https:");
    const reached = `${address} answers in ${elapsedMs.toFixed(0)} ms`;
    return [
      secure && skipVerify
        ? warning(
            "nomad",
            `${reached}; its certificate is not verified`,
            "Give --nomad-ca-cert instead of --nomad-skip-verify",
          )
        : ok("nomad", secure ? `${reached}, certificate verified` : reached),
      checkClock(header(headers, "date"), clock.now()),
    ];
  } catch (error) {
    return [failureOf("nomad", error)];
  }
}

function checkClock(date: string | undefined, nowMs: number): Check {
  const theirsMs = Date.parse(date ?? "");
  if (Number.isNaN(theirsMs)) return ok("clock", "Nomad told no time");
  // The header has whole seconds.
  const skewMs = Math.max(0, Math.abs(nowMs - theirsMs) - 1000);
  if (skewMs < SKEW_WARNING_MS) return ok("clock", "agrees with Nomad's");
  return warning(
    "clock",
    `differs from Nomad's by ${(skewMs / 1000).toFixed(0)} s`,
    "Synchronise the clocks: `time` and `recordedtime` of events come from both",
  );
}

function checkVersion(agent: AgentSelf | undefined): Check {
  if (agent?.version === undefined) {
    return warning(
      "version",
      "the token may not see Nomad's version and limits",
      "Allow it agent:read to have them checked",
    );
  }
  const [major = 0, minor = 0, patch = 0] = agent.version.split(/[.+-]/).map(Number);
  const old = major < 1 || (major === 1 && (minor < 2 || (minor === 2 && patch < 4)));
  if (!old) return ok("version", `Nomad ${agent.version}`);
  return warning(
    "version",
    `Nomad ${agent.version} answers for all namespaces at once with no evaluations and no deployments`,
    "Keep a connection for every scope (--max-connections), or name the namespaces with --namespaces",
  );
}

async function checkLeader(client: NomadClient, signal: AbortSignal): Promise<Check> {
  const leader = await client.leader(signal);
  if (leader !== undefined) return ok("leader", leader);
  return failure(
    "leader",
    "the region has none",
    "Look at `nomad operator raft list-peers`; the feed waits until there is one",
  );
}

async function lookAtToken(
  client: NomadClient,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<Check> {
  try {
    return checkToken(await client.tokenSelf(signal), clock.now());
  } catch (error) {
    if (!(error instanceof NomadError) || !REFUSALS.includes(error.code)) throw error;
    // A token may always look at itself.
    return failure(
      "token",
      "Nomad does not know it",
      "It expired, was deleted, or belongs to another cluster: give a valid one in NOMAD_TOKEN or NOMAD_TOKEN_FILE",
    );
  }
}

function checkToken(token: TokenSelf, nowMs: number): Check {
  switch (token.kind) {
    case "acls-disabled":
      return ok("token", "not needed: ACLs are disabled");
    case "anonymous":
      return warning(
        "token",
        "none given: the anonymous policy decides",
        "Give NOMAD_TOKEN or NOMAD_TOKEN_FILE",
      );
    case "workload-identity":
      return ok("token", "a workload identity");
    case "token":
      return checkExpiry(
        `${token.name === "" ? token.accessorId : token.name} (${token.type})`,
        token.expirationTime,
        nowMs,
      );
    default:
      return token satisfies never;
  }
}

function checkExpiry(name: string, expirationTime: string | undefined, nowMs: number): Check {
  const hint = "Renew it; a token in --nomad-token-file is read again when the file changes";
  if (expirationTime === undefined) return ok("token", name);
  const leftMs = Date.parse(expirationTime) - nowMs;
  if (leftMs <= 0) return failure("token", `${name} expired at ${expirationTime}`, hint);
  if (leftMs < EXPIRY_WARNING_MS) return warning("token", `${name} expires at ${expirationTime}`, hint);
  return ok("token", `${name}, until ${expirationTime}`);
}
