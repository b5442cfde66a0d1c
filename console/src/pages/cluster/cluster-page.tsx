import { BlockedPanel } from "./blocked-panel.tsx";
import css from "./cluster.module.css";
import { NodesPanel } from "./nodes-panel.tsx";
import { RatesPanel } from "./rates-panel.tsx";
import { ScopesPanel } from "./scopes-panel.tsx";
import { WorkPanel } from "./work-panel.tsx";

/** How the cluster is, and how well the feed knows it. */
export default function ClusterPage() {
  return (
    <div class={css.page}>
      <h1 class="visually-hidden">Cluster</h1>
      <div class={css.wide}>
        <NodesPanel />
        <ScopesPanel />
      </div>
      <div class={css.side}>
        <BlockedPanel />
        <RatesPanel />
        <WorkPanel />
      </div>
    </div>
  );
}
