import type { Silence } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { now } from "../../app/clock.ts";
import { api } from "../../feed/api.ts";
import type { Loaded } from "../../feed/use-loaded.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Failure, Panel, Skeleton } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { duration } from "../../words/time.ts";
import css from "./alerts.module.css";
import { SilenceDialog } from "./silence-dialog.tsx";

/** Of what nobody is told, and until when. */
export function SilencesPanel({ loaded }: { loaded: Loaded<Silence[]> }) {
  const [isAdding, add] = useState(false);
  const [error, setError] = useState<unknown>();
  const end = async (id: string) => {
    try {
      await api().endSilence(id);
      setError(undefined);
    } catch (reason) {
      setError(reason);
    }
    loaded.reload();
  };
  if (loaded.value === undefined)
    return loaded.error === undefined ? <Skeleton /> : <Failure error={loaded.error} />;
  return (
    <Panel title="Silences in force" aside={<Button onClick={() => add(true)}>New silence…</Button>} flush>
      {(error ?? loaded.error) !== undefined && <Failure error={error ?? loaded.error} />}
      {loaded.value.length === 0 ? (
        <Empty title="Nothing is silenced">People are told of every alert that a route takes.</Empty>
      ) : (
        <ul class={css.list}>
          {loaded.value.map((silence) => (
            <SilenceLine key={silence.id} silence={silence} onEnd={() => void end(silence.id)} />
          ))}
        </ul>
      )}
      {isAdding && (
        <SilenceDialog
          onClose={() => {
            add(false);
            loaded.reload();
          }}
        />
      )}
    </Panel>
  );
}

function SilenceLine({ silence, onEnd }: { silence: Silence; onEnd: () => void }) {
  const { matchers, endsAt, comment, createdBy } = silence;
  return (
    <li class={css.told}>
      <span class={css.toldWords}>
        <strong>{matcherWords(matchers)}</strong>
        <br />
        <span class="muted">
          {comment === "" ? "" : `${comment} · `}
          by {createdBy}
        </span>
      </span>
      <span class={css.when} title={endsAt}>
        {duration(Date.parse(endsAt) - now.value)} left, until <Time at={endsAt} as="clock" />
      </span>
      <Button onClick={onEnd}>End now</Button>
    </li>
  );
}

/** What a silence or a route takes, in words. */
export function matcherWords({ rules, minSeverity, where, filter }: Silence["matchers"]): string {
  const parts = [
    rules === undefined ? "" : rules.join(", "),
    minSeverity === undefined ? "" : `${minSeverity} and above`,
    ...Object.entries(where ?? {}).map(([label, patterns]) => `${label} ${patterns.join(" or ")}`),
    filter ?? "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "everything" : parts.join(" · ");
}
