import { asOf } from "../../app/router.ts";
import { Empty, Panel } from "../../ui/panel.tsx";
import { BlockedPanel } from "./blocked-panel.tsx";
import css from "./cluster.module.css";
import { FlapsPanel } from "./flaps-panel.tsx";
import { NodesPanel } from "./nodes-panel.tsx";
import { RatesPanel } from "./rates-panel.tsx";
import { ScopesPanel } from "./scopes-panel.tsx";
import { useFlaps } from "./use-flaps.ts";
import { WorkPanel } from "./work-panel.tsx";

/** How the cluster is, and how well the feed knows it. */
export default function ClusterPage() {
  const flaps = useFlaps();
  const isNow = asOf.value === "";
  return (
    <div class={css.page}>
      <h1 class="visually-hidden">Cluster</h1>
      <div class={css.wide}>
        <NodesPanel flaps={flaps.value} />
        {isNow ? <ScopesPanel /> : <NotOfThen />}
      </div>
      <div class={css.side}>
        <BlockedPanel />
        <FlapsPanel loaded={flaps} />
        <RatesPanel />
        {isNow && <WorkPanel />}
      </div>
    </div>
  );
}

function NotOfThen() {
  return (
    <Panel title="Scopes and workers">
      <Empty title="Known only as they are now">
        Who read what, and how late it was, is not in the log. What was not up to date then is among its
        events: type <code>feed</code>.
      </Empty>
    </Panel>
  );
}
