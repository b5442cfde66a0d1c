import { useState } from "preact/hooks";
import { SERVER_URL } from "../../feed/server.ts";
import { CopyButton, Snippet } from "../../ui/copy.tsx";
import { Popover } from "../../ui/popover.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { alertRuleOf, clientCodeOf, curlOf, destinationOf } from "./automation.ts";
import css from "./live.module.css";
import type { Selection } from "./selection.ts";

const WAYS = [
  { id: "curl", label: "curl", hint: "Follows it in a shell: one event a line." },
  { id: "client", label: "Client", hint: "Follows it from JavaScript, through every disconnection." },
  {
    id: "destination",
    label: "Destination",
    hint: "For the configuration file: the bridge sends it, and keeps its place.",
  },
  {
    id: "alert",
    label: "Alert rule",
    hint: "For the configuration file: a rule of alerts, narrowed to what is selected.",
  },
] as const;
type Way = (typeof WAYS)[number]["id"];

/** The view as the start of automation: what is shown here, elsewhere. */
export function AutomationMenu({
  selection,
  onReady,
}: {
  selection: Selection;
  onReady: (open: () => void) => void;
}) {
  return (
    <Popover label="Use elsewhere" icon="copy" iconOnly align="end" hint="y" onReady={onReady}>
      {() => <Ways selection={selection} />}
    </Popover>
  );
}

function Ways({ selection }: { selection: Selection }) {
  const [way, setWay] = useState<Way>("curl");
  const { label, hint } = WAYS.find(({ id }) => id === way) ?? WAYS[0];
  return (
    <div class={css.automation}>
      <div class={css.quick}>
        <CopyButton label="Copy a link to this view" text={() => location.href} />
      </div>
      <Tabs
        label="Ways to use it"
        selected={way}
        onSelect={(id) => setWay(id)}
        tabs={WAYS.map(({ id, label: words }) => ({ id, label: words }))}
      />
      <p class="muted">{hint}</p>
      <Snippet label={label} text={textOf(way, selection)} />
    </div>
  );
}

function textOf(way: Way, selection: Selection): string {
  switch (way) {
    case "curl":
      return curlOf(SERVER_URL, selection);
    case "client":
      return clientCodeOf(SERVER_URL, selection);
    case "destination":
      return destinationOf(selection);
    case "alert":
      return alertRuleOf(selection);
    default:
      return way satisfies never;
  }
}
