import { onTestFinished } from "vitest";
import type { ListRequest } from "../../src/nomad/api.ts";
import { createNomadClient, type NomadClient } from "../../src/nomad/client.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { resolveNomadOptions, type RawNomadOptions } from "../../src/nomad/options.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";

/** A client that is closed when the test ends. */
export function clientOf(raw: RawNomadOptions, clock: Clock = systemClock): NomadClient {
  const client = createNomadClient(resolveNomadOptions(raw), { logger: silentLogger(), clock });
  onTestFinished(() => client[Symbol.asyncDispose]());
  return client;
}

const never = new AbortController().signal;

/** Asks for the jobs of "default" at once, unless changed. */
export function jobs(changes: Partial<ListRequest> = {}): ListRequest {
  return { resource: "jobs", namespace: "default", signal: never, ...changes };
}

export async function failureOf(promise: Promise<unknown>): Promise<NomadError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof NomadError) return error;
  throw new Error("expected a NomadError", { cause: error });
}

/** A stub as Nomad 1.1.2 wrote it: nanoseconds beyond 2^53, floats as Go writes them. */
export const STUBS =
  '[{"CreateIndex":93,"ID":"qa1","Datacenters":["dc1"],"ModifyIndex":104,"Namespace":"default","Score":1e+02,"SubmitTime":1795434930021866379}]';
