import type { Config } from "../config/config.ts";
import { Deliveries, type DeliveriesDeps } from "../publishers/delivery/deliveries.ts";
import type { DestinationDeps } from "../publishers/destination-deps.ts";
import { openDestination } from "../publishers/destinations.ts";

const TIDY_EVERY_MS = 3_600_000;

/** The deliveries to the destinations of the configuration. */
export function deliveriesOf(
  { destinations }: Pick<Config, "destinations">,
  deps: Omit<DeliveriesDeps, "open"> & Pick<DestinationDeps, "readSecret" | "stdout">,
): Deliveries {
  const deliveries = new Deliveries({
    ...deps,
    open: ({ name, settings }) => openDestination(settings, { ...deps, name }),
  });
  deliveries.configure(destinations);
  return deliveries;
}

/** Keeps the log free of positions that nobody needs any more, until `signal` aborts. */
export async function tidyDeliveries(
  deliveries: Pick<Deliveries, "removeAbandoned">,
  { logger, clock, signal }: Pick<DeliveriesDeps, "logger" | "clock"> & { signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await deliveries
      .removeAbandoned()
      .catch((error: unknown) => logger.debug({ err: error }, "cannot look for abandoned positions"));
    await clock.sleep(TIDY_EVERY_MS, signal);
  }
}
