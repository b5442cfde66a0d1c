import { useCommands } from "../../app/keys.ts";
import { asOf, goBack, setQuery } from "../../app/router.ts";
import { partsOf } from "../../words/names.ts";
import type { ObjectRecord } from "./use-object.ts";
import type { View } from "./views.ts";

/** @param at which version is shown. */
export function useObjectKeys({ subject, versions }: ObjectRecord, at: number): void {
  const group = "Object";
  const show = (view: View) => () => setQuery({ view: view === "timeline" ? null : view });
  // Beyond the last event is now.
  const step = (to: number) => {
    if (to >= versions.length) return setQuery({ at: null });
    const version = versions[to];
    if (version !== undefined) setQuery({ at: version.facts.cursor });
  };
  useCommands([
    {
      group,
      words: "To the event before",
      keys: "[",
      run: () => step(asOf.value === "" ? versions.length - 1 : at - 1),
    },
    {
      group,
      words: "To the event after",
      keys: "]",
      run: () => {
        if (asOf.value !== "") step(at + 1);
      },
    },
    { group, words: "Why is it so?", keys: "w", run: show("why") },
    { group, words: "Compact: the history in few lines", keys: "1", run: show("compact") },
    { group, words: "Timeline: lanes", keys: "2", run: show("timeline") },
    { group, words: "History: every event with what it changed", keys: "h", run: show("history") },
    ...(partsOf(subject).resource === "jobs"
      ? [{ group, words: "Versions: what each changed", keys: "v", run: show("versions") }]
      : []),
    { group, words: "Back", keys: "Escape", run: goBack },
  ]);
}
