import type { Config } from "../config/config.ts";
import { openAlertDestination } from "../publishers/alert-destinations.ts";
import { openAlertReplicas } from "../publishers/alert-replicas.ts";
import { Alerting } from "../publishers/alerting/alerting.ts";
import type { Silences } from "../publishers/alerting/silences.ts";
import type { Fanout } from "../publishers/fanout/fanout.ts";
import { pageUrlOf } from "../publishers/page-url.ts";
import type { OpenBridge } from "./open.ts";

/** The alerts of the configuration, and who is told of them. `log`: the one that is published. */
export function alertingOf(
  config: Config,
  { silences, ...open }: OpenBridge & Fanout & { readonly silences: Silences },
): Alerting {
  const deps = { ...open, logger: open.loggers.alerts, pageUrl: pageUrlOf(config.nomadUiUrl) };
  const alerting = new Alerting({
    ...deps,
    metricsMaxJobs: config.metricsMaxJobs,
    assignments: () => open.coordination.statuses(),
    open: ({ settings }, shared) => openAlertReplicas(settings, shared, deps),
    notify: ({ name, settings }) =>
      openAlertDestination(settings, {
        ...deps,
        name,
        todo: (rule) => alerting.rule(rule)?.todo ?? [],
      }),
    silences: () => silences.list(),
  });
  alerting.configure(config);
  return alerting;
}
