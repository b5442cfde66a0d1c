import type { Config } from "../../../config/config.ts";
import { regionIn, sourceOf } from "../../../bridge/nomad-start.ts";
import { failure, type Check } from "./check.ts";

/**
 * Whether `run` would refuse a log because it is of another cluster or region: undefined where it would not.
 * @param region of the Nomad that answers; undefined where it did not say.
 */
export function foreignLog(
  { cluster, nomad }: Config,
  where: string,
  source: string,
  region: string | undefined,
): Check | undefined {
  const wanted = sourceOf(cluster, nomad.region ?? region ?? regionIn(source));
  if (wanted === source) return undefined;
  return failure(
    "log",
    `${where} belongs to ${source}, not to ${wanted}`,
    "Give this cluster or region a log of its own with --feed, or name the log's with --cluster and --nomad-region",
  );
}
