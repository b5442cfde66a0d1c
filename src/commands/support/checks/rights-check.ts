import type { Config } from "../../../config/config.ts";
import type { NomadClient } from "../../../nomad/client.ts";
import { planScopes } from "../../../pollers/plan.ts";
import { lackOf } from "../../../nomad/unsupported.ts";
import { RESOURCES, type ResourceType } from "../../../schemas/resources.ts";
import { maxScopesOf } from "../../../bridge/connection-budget.ts";
import { failure, failureOf, ok, warning, type Check } from "./check.ts";

/** Beyond so many namespaces the first are taken as a sample. */
const MOST_NAMESPACES = 50;
/** Probes at once. */
const PROBES = 4;

/** Whether the token may list what the configuration wants watched, and whether Nomad allows the connections. */
export async function* checkRights(
  config: Config,
  client: NomadClient,
  nomadLimit: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Check> {
  let namespaces: readonly string[];
  try {
    namespaces = config.namespaces === "*" ? await namespaceNames(client, signal) : config.namespaces;
  } catch (error) {
    yield failureOf("rights", error);
    return;
  }
  if (namespaces.length === 0) {
    yield failure(
      "rights",
      "the token may see no namespace",
      "Give it list-jobs and read-job in a namespace",
    );
  }
  if (config.namespaces !== "*") yield* checkNames(config.namespaces, client, signal);
  const asked = namespaces.slice(0, MOST_NAMESPACES);
  if (asked.length < namespaces.length) {
    const message = `${namespaces.length} namespaces, of which the first ${MOST_NAMESPACES} are looked at`;
    yield warning("rights", message, "Name others with --namespaces to have them checked");
  }
  for (const resource of config.resources) {
    if (RESOURCES[resource].namespaced && asked.length === 0) continue;
    yield await checkResource(resource, RESOURCES[resource].namespaced ? asked : ["-"], client, signal);
  }
  yield checkConnections(config, namespaces, nomadLimit);
}

/** Nomad answers for a namespace that it does not have as for one without objects. */
async function* checkNames(
  names: readonly string[],
  client: NomadClient,
  signal: AbortSignal,
): AsyncGenerator<Check> {
  const known = await namespaceNames(client, signal).catch(() => names);
  const missing = names.filter((name) => !known.includes(name));
  if (missing.length === 0) return;
  yield warning(
    "namespaces",
    `Nomad does not have ${missing.join(", ")}, or does not show it to the token`,
    "Correct --namespaces; what is made later is watched from then on",
  );
}

async function namespaceNames(client: NomadClient, signal: AbortSignal): Promise<string[]> {
  const { body } = await client.list({ resource: "namespaces", namespace: "-", signal });
  return (JSON.parse(body.toString()) as { Name: string }[]).map(({ Name }) => Name);
}

async function checkResource(
  resource: ResourceType,
  namespaces: readonly string[],
  client: NomadClient,
  signal: AbortSignal,
): Promise<Check> {
  const name = `rights: ${resource}`;
  const denied: string[] = [];
  try {
    for (let first = 0; first < namespaces.length; first += PROBES) {
      const batch = namespaces.slice(first, first + PROBES);
      const allowed = await Promise.all(
        batch.map((namespace) => client.mayList(resource, namespace, signal)),
      );
      denied.push(...batch.filter((_, position) => allowed[position] !== true));
    }
  } catch (error) {
    const lack = lackOf(resource, error);
    if (lack === null) return failureOf(name, error);
    return warning(
      name,
      `nothing to list: ${lack}`,
      "The feed asks again every minute or two, and says when it is there",
    );
  }
  const { namespaced, capability } = RESOURCES[resource];
  const where = namespaced ? ` in ${namespaces.length} namespace${namespaces.length === 1 ? "" : "s"}` : "";
  if (denied.length === 0) return ok(name, `may be listed${where}`);
  return failure(
    name,
    namespaced ? `may not be listed in ${denied.join(", ")}` : "may not be listed",
    `Give the token ${capability}${namespaced ? " there" : ""}, or leave ${resource} out of --resources`,
  );
}

/** What the feed will plan: a connection for each scope, as far as the budget allows. */
function checkConnections(
  config: Config,
  namespaces: readonly string[],
  nomadLimit: number | undefined,
): Check {
  const { resources, maxConnections } = config;
  const budget = maxScopesOf(maxConnections);
  const mayFold = config.namespaces === "*";
  const { scopes, folded, overBudget } = planScopes({ resources, namespaces, budget, mayFold });
  const told = `${scopes.length} of --max-connections ${maxConnections} will be held open`;
  if (nomadLimit !== undefined && nomadLimit > 0 && maxConnections > nomadLimit) {
    return warning(
      "connections",
      `Nomad allows ${nomadLimit} from one address; ${told}`,
      `Set --max-connections below ${nomadLimit}, or raise limits.http_max_conns_per_client in Nomad`,
    );
  }
  if (overBudget > 0) {
    return warning(
      "connections",
      `${scopes.length} are needed, and --max-connections is ${maxConnections}`,
      `Raise --max-connections by ${overBudget}, or watch fewer resources or namespaces`,
    );
  }
  if (folded.size > 0) {
    return ok("connections", `${told}; one for all namespaces together: ${[...folded].join(", ")}`);
  }
  return ok(
    "connections",
    nomadLimit === undefined ? told : `${told}; Nomad allows ${nomadLimit === 0 ? "any number" : nomadLimit}`,
  );
}
