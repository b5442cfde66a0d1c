import type { Config } from "../../../config/config.ts";
import type { NomadClient } from "../../../nomad/client.ts";
import { RESOURCES, type ResourceType } from "../../../schemas/resources.ts";
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
  const namespaces = config.namespaces === "*" ? await namespaceNames(client, signal) : config.namespaces;
  if (namespaces.length === 0) {
    yield failure(
      "rights",
      "the token may see no namespace",
      "Give it a policy with at least read in a namespace",
    );
  }
  const asked = namespaces.slice(0, MOST_NAMESPACES);
  if (asked.length < namespaces.length) {
    const message = `${namespaces.length} namespaces, of which the first ${MOST_NAMESPACES} are looked at`;
    yield warning("rights", message, "Name others with --namespaces to have them checked");
  }
  for (const resource of config.resources) {
    yield await checkResource(resource, RESOURCES[resource].namespaced ? asked : ["-"], client, signal);
  }
  yield checkConnections(config, namespaces.length, nomadLimit);
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
    return failureOf(name, error);
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

/** One loop for each resource and namespace, until the budget is used up; then one for all namespaces. */
function checkConnections(config: Config, namespaces: number, nomadLimit: number | undefined): Check {
  const namespaced = config.resources.filter((resource) => RESOURCES[resource].namespaced).length;
  const wanted = namespaced * namespaces + (config.resources.length - namespaced);
  const held = Math.min(wanted, config.maxConnections);
  const told = `${held} of --max-connections ${config.maxConnections} will be held open`;
  if (nomadLimit !== undefined && nomadLimit > 0 && config.maxConnections > nomadLimit) {
    return warning(
      "connections",
      `Nomad allows ${nomadLimit} from one address; ${told}`,
      `Set --max-connections below ${nomadLimit}, or raise limits.http_max_conns_per_client in Nomad`,
    );
  }
  if (wanted > config.maxConnections) {
    return ok("connections", `${told}; scopes of one resource share a query`);
  }
  return ok(
    "connections",
    nomadLimit === undefined ? told : `${told}; Nomad allows ${nomadLimit === 0 ? "any number" : nomadLimit}`,
  );
}
