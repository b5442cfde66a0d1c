import { isCore, type ResourceType } from "../schemas/resources.ts";
import { NomadError } from "./errors.ts";

/**
 * Why there is no such list here, where Nomad itself does not have it: its version, its edition or its configuration.
 * Null where the error says something else, and for what every Nomad has: there the address is wrong.
 */
export function lackOf(resource: ResourceType, error: unknown): string | null {
  if (!(error instanceof NomadError) || isCore(resource)) return null;
  // Nomad Community, asked for its license, answers with no content.
  const hasNoLicense = resource === "license" && error.status === 204;
  if (error.code === "NOMAD_ENTERPRISE_ONLY" || hasNoLicense) return "only Nomad Enterprise has it";
  if (error.code === "NOMAD_NOT_FOUND") return "this version of Nomad does not have it";
  return error.message.includes("ACL support disabled") ? "this cluster runs without ACLs" : null;
}
