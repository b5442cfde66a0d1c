import type { Config } from "../config/config.ts";
import type { DeliverySteering } from "../http/deliveries.ts";
import type { AlertDeliveries } from "../publishers/alerting/alert-deliveries.ts";
import { Deliveries, type DeliveriesDeps } from "../publishers/delivery/deliveries.ts";
import { NotForAlerts } from "../publishers/delivery/errors.ts";
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

/** What people see and do of all destinations, those of events and those of alerts. */
export function steeringOf(events: Deliveries, alerts: AlertDeliveries): DeliverySteering {
  const either = (name: string) => (alerts.has(name) ? alerts : events);
  const onlyEvents = (name: string): Deliveries => {
    if (alerts.has(name)) throw new NotForAlerts(name);
    return events;
  };
  return {
    list: async () => {
      const ofEvents = (await events.list()).filter(({ name }) => !alerts.has(name));
      return [...ofEvents, ...(await alerts.list())].toSorted((a, b) => a.name.localeCompare(b.name));
    },
    show: (name) => either(name).show(name),
    pause: (name, reason) => either(name).pause(name, reason),
    resume: (name) => either(name).resume(name),
    test: (name) => either(name).test(name),
    replay: async (name, from) => onlyEvents(name).replay(name, from),
    deadLetters: {
      list: async (name, page) => onlyEvents(name).deadLetters.list(name, page),
      retry: async (name, which) => onlyEvents(name).deadLetters.retry(name, which),
      drop: async (name, which) => onlyEvents(name).deadLetters.drop(name, which),
    },
  };
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
