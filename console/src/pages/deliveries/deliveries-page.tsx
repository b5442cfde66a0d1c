import type { Delivery } from "nomad-changefeed-client";
import { OnlyNow } from "../../app/only-now.tsx";
import { href, route } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { Snippet } from "../../ui/copy.tsx";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { duration } from "../../words/time.ts";
import css from "./deliveries.module.css";
import { DeliveryView } from "./delivery-view.tsx";
import { StateChip } from "./state-chip.tsx";

const EVERY_MS = 3000;

const EXAMPLE = `destinations:
  hook:
    type: webhook
    url: https://example.com/events
    types: [allocations]
    minSeverity: WARN`;

/** Where the feed is delivered to, how that goes, and what people can do about it. */
export default function DeliveriesPage() {
  const [, name] = route.value.path;
  return name === undefined ? <DeliveryTable /> : <DeliveryView key={name} name={name} />;
}

function DeliveryTable() {
  const { value, error, reload } = useLoaded("deliveries", (signal) => api(signal).deliveries(), {
    everyMs: EVERY_MS,
  });
  return (
    <div class={css.page}>
      <h1>Deliveries</h1>
      <OnlyNow>How deliveries went at another time is not in the log: this is how they are now.</OnlyNow>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {value === undefined && error === undefined && <Skeleton lines={6} />}
      {value?.length === 0 && (
        <Panel>
          <Empty title="Nothing is delivered anywhere yet">
            A destination in the configuration file gets every event that passes its filter, in order, also
            after a restart. SIGHUP or <code>nomad-changefeed reload</code> applies it.
          </Empty>
          <Snippet text={EXAMPLE} label="A destination in the configuration file" />
        </Panel>
      )}
      {value !== undefined && value.length > 0 && (
        <Panel flush>
          <table class={css.table}>
            <thead>
              <tr>
                <th scope="col">Destination</th>
                <th scope="col">State</th>
                <th scope="col" class={css.number}>
                  Behind
                </th>
                <th scope="col" class={css.number}>
                  Lag
                </th>
                <th scope="col" class={css.number}>
                  Dead letters
                </th>
              </tr>
            </thead>
            <tbody>
              {value.map((delivery) => (
                <DeliveryRow key={delivery.name} delivery={delivery} />
              ))}
            </tbody>
          </table>
        </Panel>
      )}
    </div>
  );
}

function DeliveryRow({ delivery }: { delivery: Delivery }) {
  const { name, type, target, reason, lagEvents, lagMs, deadLetters, waiting } = delivery;
  return (
    <tr>
      <td>
        <a class={css.name} href={href(["deliveries", name])}>
          {name}
        </a>
        <span class={css.under}>{[type, target].filter((text) => text !== null).join(" · ")}</span>
      </td>
      <td>
        <StateChip state={delivery.state} />
        {reason !== null && <span class={css.under}>{reason}</span>}
      </td>
      <td class={css.number}>{(lagEvents ?? waiting ?? 0).toLocaleString("en")}</td>
      <td class={css.number}>{lagMs === null ? "" : duration(lagMs)}</td>
      <td class={css.number} data-wrong={deadLetters > 0 ? "" : undefined}>
        {deadLetters.toLocaleString("en")}
      </td>
    </tr>
  );
}
