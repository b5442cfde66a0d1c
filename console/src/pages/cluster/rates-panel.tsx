import { RequestFailed, type Counts, type Severity } from "nomad-changefeed-client";
import { shownTime } from "../../app/as-of.ts";
import { href } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { SeverityChart } from "../../ui/chart/severity-chart.tsx";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { SeverityBadge } from "../../ui/severity.tsx";
import { SEVERITIES } from "../../words/severity.ts";
import css from "./cluster.module.css";

const HOUR_MS = 3_600_000;
const EVERY_MS = 15_000;
const BUCKETS = 60;

/** How many events there were within an hour: over time, by kind and by severity. */
export function RatesPanel() {
  const shown = shownTime.value;
  const isKnown = shown.kind === "now" || shown.kind === "then";
  const { value, error, reload } = useLoaded(
    `rates ${JSON.stringify(shown)}`,
    async (gone) =>
      isKnown ? readRates(shown.kind === "then" ? shown.ms + 1 : Date.now(), gone) : undefined,
    shown.kind === "now" ? { everyMs: EVERY_MS } : {},
  );
  return (
    <Panel
      title={shown.kind === "now" ? "Events of the last hour" : "Events of the hour before"}
      aside={value && `${perSecond(value.bySeverity)} a second ${shown.kind === "now" ? "now" : "then"}`}
    >
      {error !== undefined && <Unread error={error} retry={reload} />}
      {value === undefined && error === undefined && shown.kind !== "untold" && <Skeleton lines={5} />}
      {shown.kind === "untold" && <Empty title="Not known">It cannot be told when that was.</Empty>}
      {value !== undefined && (
        <div class={css.rates}>
          <div class={css.histogram}>
            <SeverityChart counts={value.bySeverity} label={overTime(value.bySeverity)} />
          </div>
          <SeverityList counts={value.bySeverity} />
          <TypeList counts={value.byType} />
        </div>
      )}
    </Panel>
  );
}

interface Rates {
  readonly bySeverity: Counts;
  readonly byType: Counts;
}

async function readRates(untilMs: number, signal: AbortSignal): Promise<Rates> {
  const range = {
    since: new Date(untilMs - HOUR_MS).toISOString(),
    until: new Date(untilMs).toISOString(),
    buckets: BUCKETS,
  };
  const asked = api(signal);
  const [bySeverity, byType] = await Promise.all([
    asked.counts(range),
    asked.counts({ ...range, by: "type" }),
  ]);
  return { bySeverity, byType };
}

function Unread({ error, retry }: { error: unknown; retry: () => void }) {
  return error instanceof RequestFailed && error.status === 404 ? (
    <Empty title="This bridge does not count events">A newer one does.</Empty>
  ) : (
    <Failure error={error} retry={retry} />
  );
}

function overTime({ total }: Counts): string {
  return `${total.toLocaleString("en")} events, over time`;
}

/** Of the newest bucket, which ends with the time that is shown. */
function perSecond({ buckets, bucketMs }: Counts): string {
  const last = buckets.at(-1);
  return last === undefined ? "–" : (last.total / (bucketMs / 1000)).toFixed(1);
}

function SeverityList({ counts: { buckets, complete } }: { counts: Counts }) {
  const totals = SEVERITIES.toReversed().map((severity): [Severity, number] => [
    severity,
    buckets.reduce((sum, { severities }) => sum + (severities[severity] ?? 0), 0),
  ]);
  return (
    <dl class={css.counts} aria-label="By severity">
      {totals.map(([severity, number]) => (
        <div key={severity}>
          <dt>
            <a href={href(["live"], { minSeverity: severity })}>
              <SeverityBadge severity={severity} />
            </a>
          </dt>
          <dd>{number.toLocaleString("en")}</dd>
        </div>
      ))}
      {!complete && <p class="muted">Not all were counted: that would have cost too much.</p>}
    </dl>
  );
}

function TypeList({ counts: { values = [], others = 0 } }: { counts: Counts }) {
  const most = Math.max(1, ...values.map(({ count }) => count));
  return (
    <dl class={css.counts} aria-label="By type">
      {values.slice(0, 12).map(({ value, count }) => (
        <div key={value}>
          <dt>
            <a href={href(["live"], { types: value })}>{value.replace(/^nomad\./, "")}</a>
          </dt>
          <dd>
            <svg class={css.countBar} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect class={css.running} width={(100 * count) / most} height="6" />
            </svg>
            <span>{count.toLocaleString("en")}</span>
          </dd>
        </div>
      ))}
      {others > 0 && <p class="muted">and {others.toLocaleString("en")} of other types</p>}
    </dl>
  );
}
