import { useCommands } from "../../app/keys.ts";
import { eventHref, go, goBack } from "../../app/router.ts";
import { api } from "../../feed/api.ts";
import { useLoaded } from "../../feed/use-loaded.ts";
import { Button } from "../../ui/button.tsx";
import css from "./event.module.css";

interface EventStepsProps {
  readonly cursor: string;
  readonly subject: string;
}

/** Leads to the events of the same object before and after this one. */
export function EventSteps({ cursor, subject }: EventStepsProps) {
  const { value } = useLoaded(cursor, async (gone) => {
    const beside = async (order: "oldest-first" | "newest-first") => {
      const { events } = await api(gone).history({ subject, cursor, order, limit: 1 });
      return events[0]?.cursor;
    };
    const [before, after] = await Promise.all([beside("newest-first"), beside("oldest-first")]);
    return { before, after };
  });
  const open = (to: string | undefined) => () => {
    if (to !== undefined) go(eventHref(to));
  };
  const group = "Event";
  useCommands([
    { group, words: "The object’s event before", keys: "[", run: open(value?.before) },
    { group, words: "The object’s event after", keys: "]", run: open(value?.after) },
    { group, words: "Back", keys: "Escape", run: goBack },
  ]);
  return (
    <nav class={css.steps} aria-label="Events of the same object">
      <Button hint="[" disabled={value?.before === undefined} onClick={open(value?.before)}>
        ← Before
      </Button>
      <Button hint="]" disabled={value?.after === undefined} onClick={open(value?.after)}>
        After →
      </Button>
    </nav>
  );
}
