import type { Logger } from "../telemetry/logger.ts";
import type { NomadApi } from "./api.ts";
import type { NomadInspection } from "./inspection.ts";
import type { NomadClientOptions } from "./options.ts";

export interface NomadClientDeps {
  readonly logger: Logger;
}

export type NomadClient = NomadApi & NomadInspection;

/** @throws NomadOptionInvalid where a certificate or key cannot be read. */
export function createNomadClient(_options: NomadClientOptions, _deps: NomadClientDeps): NomadClient {
  throw new Error("not built yet");
}
