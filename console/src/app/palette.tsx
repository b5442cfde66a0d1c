import uFuzzy from "@leeoniya/ufuzzy";
import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Dialog } from "../ui/dialog.tsx";
import { Icon, isIcon } from "../ui/icon.tsx";
import { nounOf, shortName } from "../words/names.ts";
import { commands, keyNames } from "./keys.ts";
import { findById, knownObjects, readKnownObjects, type KnownObject } from "./known-objects.ts";
import css from "./palette.module.css";
import { go, objectHref } from "./router.ts";

export const paletteIsOpen = signal(false);

const SHOWN = 50;
const search = new uFuzzy({ intraMode: 1 });

interface Entry {
  readonly id: string;
  readonly words: string;
  readonly group: string;
  readonly icon?: string;
  readonly keys?: string;
  readonly run: () => void;
}

function close(): void {
  paletteIsOpen.value = false;
}

/** Everything that can be done and every object there is, by a few letters. */
export function Palette() {
  const [text, setText] = useState("");
  const [chosen, choose] = useState(0);
  const found = useFoundById(text);
  useEffect(() => void readKnownObjects(), []);
  const entries = useMemo(
    () =>
      matching([...commandEntries(), ...objectEntries(found), ...objectEntries(knownObjects.value)], text),
    [text, found, knownObjects.value, commands.value],
  );
  const run = (entry: Entry | undefined) => {
    close();
    entry?.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      choose((at) => (at + step + entries.length) % Math.max(1, entries.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[chosen]);
    }
  };
  return (
    <Dialog title="Go to anything" onClose={close} place="top" bare>
      <input
        class={css.input}
        type="text"
        role="combobox"
        aria-label="Search pages, commands and objects"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries[chosen] === undefined ? undefined : `palette-${chosen}`}
        aria-autocomplete="list"
        placeholder="A page, a command, a job, a node, the beginning of an id"
        autofocus
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          choose(0);
        }}
        onKeyDown={onKeyDown}
      />
      <EntryList entries={entries} chosen={chosen} onRun={run} />
    </Dialog>
  );
}

interface EntryListProps {
  readonly entries: readonly Entry[];
  readonly chosen: number;
  readonly onRun: (entry: Entry) => void;
}

function EntryList({ entries, chosen, onRun }: EntryListProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <ul ref={list} id="palette-list" class={css.list} role="listbox" aria-label="Results">
      {entries.length === 0 && <li class={css.none}>Nothing has such a name</li>}
      {entries.map((entry, at) => (
        <li
          key={entry.id}
          id={`palette-${at}`}
          role="option"
          class={css.entry}
          aria-selected={at === chosen}
          onClick={() => onRun(entry)}
        >
          {entry.icon !== undefined && isIcon(entry.icon) && <Icon name={entry.icon} size={14} />}
          <span class={css.words}>{entry.words}</span>
          <span class={css.group}>{entry.group}</span>
          {keyNames(entry.keys ?? "")
            .filter(Boolean)
            .map((name, index) => (
              <kbd key={index}>{name}</kbd>
            ))}
        </li>
      ))}
    </ul>
  );
}

function commandEntries(): Entry[] {
  return commands.value.map((command) => ({ ...command, id: `${command.group}|${command.words}` }));
}

function objectEntries(objects: readonly KnownObject[]): Entry[] {
  return objects.map(({ subject, resource, namespace, name }) => ({
    id: subject,
    words: shortName(name),
    group: `${nounOf(resource)}${namespace === "-" ? "" : ` in ${namespace}`}`,
    icon: resource,
    run: () => go(objectHref(subject)),
  }));
}

function matching(entries: readonly Entry[], text: string): Entry[] {
  const distinct = [...new Map(entries.map((entry) => [entry.id, entry])).values()];
  if (text.trim() === "") return distinct.slice(0, SHOWN);
  const haystack = distinct.map(({ words, group, id }) => `${words} ${group} ${id}`);
  const [indexes, info, order] = search.search(haystack, text.trim(), 1);
  const inOrder = order === null || info === null ? (indexes ?? []) : order.map((at) => info.idx[at] ?? -1);
  return inOrder.slice(0, SHOWN).flatMap((at) => distinct[at] ?? []);
}

/** Objects whose ids begin with what was typed, as Nomad people know them by. */
function useFoundById(text: string): readonly KnownObject[] {
  const [found, setFound] = useState<readonly KnownObject[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      findById(text.trim(), stop.signal)
        .then(setFound)
        .catch(() => undefined);
    }, 150);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);
  return found;
}
