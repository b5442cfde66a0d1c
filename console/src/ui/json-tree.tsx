import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { objectHref } from "../app/router.ts";
import { pointerTo } from "../words/pointer.ts";
import { rawNumber } from "../words/exact-json.ts";
import { Icon } from "./icon.tsx";
import css from "./json-tree.module.css";

interface JsonTreeProps {
  readonly value: unknown;
  readonly name?: string;
  /** JSON Pointers to mark, such as what changed. */
  readonly marked?: ReadonlySet<string>;
  /** Shows what has it in a name or a value, and opens the way to it. */
  readonly search?: string;
  /** The object that a value names, by the JSON Pointer to the value: the value then leads to its page. */
  readonly subjectOf?: (pointer: string, value: unknown) => string | undefined;
  /** What is said beside a value, such as the time that a number stands for. */
  readonly noteOf?: (pointer: string, value: unknown) => ComponentChildren;
}

/** JSON to open and close, part by part. */
export function JsonTree({ value, name = "", marked = new Set(), search = "", ...words }: JsonTreeProps) {
  return (
    <ul class={css.tree}>
      <Node
        name={name}
        value={value}
        path=""
        depth={0}
        marked={marked}
        search={search.toLowerCase()}
        {...words}
      />
    </ul>
  );
}

interface NodeProps extends Pick<JsonTreeProps, "subjectOf" | "noteOf"> {
  readonly name: string;
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
  readonly marked: ReadonlySet<string>;
  readonly search: string;
}

function Node({ name, value, path, depth, marked, search, ...words }: NodeProps) {
  const entries = entriesOf(value);
  const [isOpen, setOpen] = useState(depth < 2);
  if (search !== "" && !holds(name, value, search)) return null;
  const isMarked = marked.has(path);
  if (entries === undefined) {
    return (
      <li class={css.leaf} data-marked={isMarked ? "" : undefined}>
        {name !== "" && <span class={css.name}>{name}</span>}
        <Scalar value={value} subject={words.subjectOf?.(path, value)} />
        {words.noteOf?.(path, value)}
      </li>
    );
  }
  const shows = isOpen || search !== "" || hasMarkedInside(marked, path);
  return (
    <li data-marked={isMarked ? "" : undefined}>
      {depth > 0 && (
        <button type="button" class={css.toggle} aria-expanded={shows} onClick={() => setOpen(!isOpen)}>
          <Icon name={shows ? "down" : "right"} size={11} />
          <span class={css.name}>{name}</span>
          <span class={css.size}>{Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`}</span>
        </button>
      )}
      {shows && entries.length > 0 && (
        <ul class={depth > 0 ? css.inside : css.root}>
          {entries.map(([key, child]) => (
            <Node
              key={key}
              name={key}
              value={child}
              path={pointerTo(path, key)}
              depth={depth + 1}
              marked={marked}
              search={name.toLowerCase().includes(search) && depth > 0 ? "" : search}
              {...words}
            />
          ))}
        </ul>
      )}
    </li>
  );
}

function Scalar({ value, subject }: { value: unknown; subject: string | undefined }) {
  const kind = value === null ? "null" : isRawNumber(value) ? "number" : typeof value;
  const text = typeof value === "string" ? `"${value}"` : textOf(value);
  return (
    <span class={css.value} data-kind={kind}>
      {subject === undefined ? text : <a href={objectHref(subject)}>{text}</a>}
    </span>
  );
}

function textOf(value: unknown): string {
  return rawNumber(value) ?? String(value);
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  return typeof value === "object" && value !== null && !isRawNumber(value)
    ? Object.entries(value)
    : undefined;
}

/** What JSON.rawJSON made: a number that a double cannot hold. */
function isRawNumber(value: unknown): boolean {
  return rawNumber(value) !== undefined;
}

function holds(name: string, value: unknown, search: string): boolean {
  if (name.toLowerCase().includes(search)) return true;
  const entries = entriesOf(value);
  if (entries === undefined) return textOf(value).toLowerCase().includes(search);
  return entries.some(([key, child]) => holds(key, child, search));
}

function hasMarkedInside(marked: ReadonlySet<string>, path: string): boolean {
  for (const pointer of marked) if (pointer.startsWith(`${path}/`)) return true;
  return false;
}
