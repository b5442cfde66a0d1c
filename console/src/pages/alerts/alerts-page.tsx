import type { Alert, Alerts } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { now } from "../../app/clock.ts";
import { OnlyNow } from "../../app/only-now.tsx";
import { queryValue, setQuery } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { Empty, Failure, Notice, Panel, Skeleton } from "../../ui/panel.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time } from "../../ui/time.tsx";
import { severityRank } from "../../words/severity.ts";
import { AlertList } from "./alert-list.tsx";
import css from "./alerts.module.css";
import { ToldPanel } from "./told-panel.tsx";
import { RoutesPanel } from "./routes-panel.tsx";
import { SilenceDialog } from "./silence-dialog.tsx";
import { SilencesPanel } from "./silences-panel.tsx";

const EVERY_MS = 5000;
/** Alerts that nobody looked at for so long are told as such. */
const OLD_MS = 60_000;

type View = "now" | "ended" | "silences" | "routes";

/** What is wrong now, what was, who is told of it, and of what nobody is. */
export default function AlertsPage() {
  const loaded = useLoaded("alerts", (signal) => api(signal).alerts(), { everyMs: EVERY_MS });
  const silences = useLoaded("silences", (signal) => api(signal).silences(), { everyMs: 15_000 });
  const [silenced, silence] = useState<Alert>();
  const view = (queryValue("view") || "now") as View;
  const { value } = loaded;
  const tabs = [
    { id: "now", label: "Now", ...(value && { count: value.alerts.length }) },
    { id: "ended", label: "Ended", ...(value && { count: value.ended.length }) },
    { id: "silences", label: "Silences", ...(silences.value && { count: silences.value.length }) },
    { id: "routes", label: "Routes" },
  ] as const;
  const maySilence = silences.error === undefined ? silence : undefined;
  return (
    <div class={css.page}>
      <header class={css.head}>
        <h1>Alerts</h1>
        {value !== undefined && <AsOf alerts={value} />}
      </header>
      <Tabs
        tabs={tabs}
        selected={view}
        label="Alerts"
        onSelect={(id) => setQuery({ view: id === "now" ? null : id }, { replace: false })}
      />
      <OnlyNow>Alerts are shown as they are now: what fired at another time, `alerts replay` tells.</OnlyNow>
      {loaded.error !== undefined && <Failure error={loaded.error} retry={loaded.reload} />}
      {view === "now" && <NowView alerts={value} onSilence={maySilence} />}
      {view === "ended" && <EndedView alerts={value} />}
      {view === "silences" && <SilencesPanel loaded={silences} />}
      {view === "routes" && <RoutesPanel alerts={value} />}
      {silenced !== undefined && (
        <SilenceDialog
          alert={silenced}
          onClose={() => {
            silence(undefined);
            silences.reload();
            loaded.reload();
          }}
        />
      )}
    </div>
  );
}

function AsOf({ alerts: { asOf } }: { alerts: Alerts }) {
  if (asOf === null) return <p class="muted">Nobody has looked yet</p>;
  if (now.value - Date.parse(asOf) < OLD_MS) return <p class="muted">Looked at just now</p>;
  return (
    <Notice kind="warn">
      No worker makes alerts: this is what fired <Time at={asOf} as="age" />. Duties on the page Cluster say
      why.
    </Notice>
  );
}

interface ListProps {
  readonly alerts: Alerts | undefined;
  readonly onSilence?: ((alert: Alert) => void) | undefined;
}

function NowView({ alerts, onSilence }: ListProps) {
  if (alerts === undefined) return <Skeleton lines={8} />;
  const firing = alerts.alerts.filter(({ state }) => state === "firing").toSorted(byWeight);
  const pending = alerts.alerts.filter(({ state }) => state === "pending");
  return (
    <>
      <Panel title="Firing" aside={String(firing.length)} flush>
        {firing.length === 0 ? (
          <Empty title="Nothing fires">
            {pending.length === 0
              ? "No rule holds of anything in the cluster now."
              : "What is pending has not held for long enough yet."}
          </Empty>
        ) : (
          <AlertList alerts={firing} onSilence={onSilence} />
        )}
      </Panel>
      {pending.length > 0 && (
        <Panel title="Pending" aside="must hold for longer before they fire" flush>
          <AlertList alerts={pending} onSilence={onSilence} />
        </Panel>
      )}
      <ToldPanel destinations={alerts.destinations} />
    </>
  );
}

function EndedView({ alerts }: ListProps) {
  if (alerts === undefined) return <Skeleton lines={8} />;
  return (
    <Panel title="Ended in the last hour" flush>
      {alerts.ended.length === 0 ? (
        <Empty title="Nothing ended in the last hour">
          What ended before is in the log: <code>nomad-changefeed alerts replay --since 7d</code> tells of it.
        </Empty>
      ) : (
        <AlertList alerts={alerts.ended} />
      )}
    </Panel>
  );
}

/** What matters most first; of the same weight what began last. */
function byWeight(a: Alert, b: Alert): number {
  const silent = Number((a.silencedBy ?? []).length > 0) - Number((b.silencedBy ?? []).length > 0);
  const weight = severityRank(b.severity) - severityRank(a.severity);
  return silent || weight || Date.parse(b.startsAt) - Date.parse(a.startsAt);
}
