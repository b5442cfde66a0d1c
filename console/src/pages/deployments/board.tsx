import { useMemo, useState } from "preact/hooks";
import { useCommands } from "../../app/keys.ts";
import { go, href, queryValue } from "../../app/router.ts";
import { useLiveObjects } from "../../feed/use-live-objects.ts";
import { Empty, Failure, Skeleton } from "../../ui/panel.tsx";
import { count } from "../../words/names.ts";
import { NamespaceSelect } from "../../ui/namespace-select.tsx";
import css from "./deployments.module.css";
import { DeploymentLine } from "./deployment-line.tsx";
import { deploymentFacts, type DeploymentFacts } from "../../rollouts/facts.ts";

const SHOWN = 200;

/** Rollouts: those that wait for somebody, those under way, those that are over. */
export function Board() {
  const namespace = queryValue("namespace");
  const deployments = useLiveObjects(
    { type: "deployments", ...(namespace !== "" && { namespaces: [namespace] }) },
    deploymentFacts,
  );
  const { version, isWhole, error } = deployments.status.value;
  const sections = useMemo(() => sectionsOf([...deployments.rows.values()]), [deployments, version]);
  const total = deployments.rows.size;
  const chosen = useChosen(sections.flatMap((section) => section.deployments.slice(0, SHOWN)));
  return (
    <div class={css.page}>
      <header class={css.head}>
        <h1>Deployments</h1>
        <NamespaceSelect value={namespace} />
        <p class="muted" role="status">
          {isWhole ? count(total, "deployment") : `${total} so far`}
        </p>
      </header>
      {error !== undefined && <Failure error={error} retry={() => deployments.restart()} />}
      {!isWhole && error === undefined && total === 0 && <Skeleton lines={8} />}
      {isWhole && total === 0 && (
        <Empty title="There are no deployments">
          Nomad makes one when a service job with an update block is registered, and forgets it some time
          after it is over.
        </Empty>
      )}
      {sections.map((section) => (
        <Section key={section.title} {...section} chosen={chosen} />
      ))}
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly deployments: readonly DeploymentFacts[];
}

/** A deployment chosen by keys: j and k lead from one to the next, Enter opens it. */
function useChosen(all: readonly DeploymentFacts[]): string | undefined {
  const [chosen, choose] = useState<string>();
  const step = (by: number) => {
    const at = all.findIndex(({ id }) => id === chosen);
    const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
    if (next !== undefined) choose(next.id);
  };
  const open = () => {
    const one = all.find(({ id }) => id === chosen);
    if (one !== undefined) go(href(["deployments", one.namespace, one.id]));
  };
  useCommands([
    { group: "Deployments", words: "Next deployment", keys: "j", run: () => step(1) },
    { group: "Deployments", words: "Deployment before", keys: "k", run: () => step(-1) },
    { group: "Deployments", words: "Open the chosen deployment", keys: "Enter", run: open },
  ]);
  return chosen;
}

function Section({ title, deployments, chosen }: SectionProps & { readonly chosen: string | undefined }) {
  if (deployments.length === 0) return null;
  const shown = deployments.slice(0, SHOWN);
  return (
    <section class={css.section} aria-label={title}>
      <h2>
        {title} <span class="muted">{deployments.length.toLocaleString("en")}</span>
      </h2>
      <ul class={css.list}>
        {shown.map((deployment) => (
          <DeploymentLine key={deployment.id} deployment={deployment} isChosen={deployment.id === chosen} />
        ))}
      </ul>
      {shown.length < deployments.length && (
        <p class="muted">{deployments.length - shown.length} older ones are in the table of the state.</p>
      )}
    </section>
  );
}

function sectionsOf(all: readonly DeploymentFacts[]): SectionProps[] {
  const newest = all.toSorted((one, other) => (other.createdMs ?? 0) - (one.createdMs ?? 0));
  const latest = newest.toSorted((one, other) => (other.modifiedMs ?? 0) - (one.modifiedMs ?? 0));
  return [
    { title: "Needs promotion", deployments: newest.filter(({ needsPromotion }) => needsPromotion) },
    {
      title: "Under way",
      deployments: newest.filter(({ needsPromotion, isOver }) => !needsPromotion && !isOver),
    },
    { title: "Over", deployments: latest.filter(({ isOver }) => isOver) },
  ];
}
