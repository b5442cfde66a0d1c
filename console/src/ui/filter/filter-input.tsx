import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { useCommands } from "../../app/keys.ts";
import { setQuery } from "../../app/router.ts";
import { Button } from "../button.tsx";
import { Icon } from "../icon.tsx";
import { checkExpression, type ExpressionProblem } from "./check-expression.ts";
import { completed, completionAt, type Completion, type KnownValues } from "./completion.ts";
import css from "./filter-input.module.css";

interface FilterInputProps {
  /** The expression that holds now. */
  readonly value: string;
  readonly known: KnownValues;
  /** An expression that shows what one may write. */
  readonly example: string;
  /** Under which heading its key stands in the help. */
  readonly group: string;
  /** Values are about to be asked for. */
  readonly onFocus?: () => void;
  /** Absent: there is no larger editor. */
  readonly onEditor?: () => void;
}

const NONE: Completion = { from: 0, to: 0, suggestions: [] };
const CHECK_MS = 350;

/** The expression in one line, with what can be written next; the bridge says what is wrong with it, and where. */
export function FilterInput({ value, known, example, group, onFocus, onEditor }: FilterInputProps) {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const [chosen, choose] = useState(-1);
  useEffect(() => setText(value), [value]);
  const problem = useProblem(text);
  const completion = useMemo(
    () => (isOpen ? completionAt(text, caret, known) : NONE),
    [isOpen, text, caret, known],
  );
  const { suggestions } = completion;
  const apply = () => {
    setOpen(false);
    setQuery({ filter: text.trim() }, { replace: false });
  };
  const take = (at: number) => {
    const suggestion = suggestions[at];
    if (suggestion === undefined) return;
    const next = completed(text, completion, suggestion);
    setText(next.text);
    setCaret(next.caret);
    choose(-1);
    requestAnimationFrame(() => input.current?.setSelectionRange(next.caret, next.caret));
  };
  const look = (element: HTMLInputElement) => {
    setCaret(element.selectionStart ?? element.value.length);
    choose(-1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && suggestions.length > 0) {
      event.preventDefault();
      setOpen(true);
      choose((at) => (at + step + suggestions.length) % suggestions.length);
    } else if (event.key === "Tab" && isOpen && suggestions.length > 0 && !event.shiftKey && text !== "") {
      event.preventDefault();
      take(Math.max(0, chosen));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (chosen >= 0) take(chosen);
      else apply();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (isOpen) setOpen(false);
      else input.current?.blur();
    }
  };
  useCommands([{ group, words: "Filter", keys: "/", run: () => input.current?.focus() }]);
  return (
    <div class={css.filter} role="search">
      <Icon name="filter" size={14} />
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label="Filter expression"
        aria-expanded={isOpen && suggestions.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
        aria-invalid={problem === undefined ? undefined : "true"}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        placeholder={`Filter: ${example}`}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
          look(event.currentTarget);
        }}
        onFocus={(event) => {
          onFocus?.();
          look(event.currentTarget);
        }}
        onClick={(event) => {
          setOpen(true);
          look(event.currentTarget);
        }}
        onKeyUp={(event) => {
          if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) look(event.currentTarget);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setOpen(false)}
      />
      {text !== value && <span class={css.enter}>↵ to apply</span>}
      {text !== "" && (
        <Button
          icon="close"
          kind="bare"
          label="Clear the filter"
          onClick={() => {
            setText("");
            setQuery({ filter: null }, { replace: false });
          }}
        />
      )}
      {onEditor && (
        <Button icon="edit" kind="bare" label="Write the filter in an editor" onClick={onEditor} />
      )}
      {isOpen && suggestions.length > 0 && (
        <ul id={`${id}-list`} class={css.list} role="listbox" aria-label="What can stand here">
          {suggestions.map(({ insert, about, kind }, at) => (
            <li
              key={insert}
              id={`${id}-${at}`}
              role="option"
              class={css.option}
              data-kind={kind}
              aria-selected={at === chosen}
              onPointerDown={(event) => {
                event.preventDefault();
                take(at);
              }}
            >
              <code>{insert}</code>
              <span>{about}</span>
            </li>
          ))}
        </ul>
      )}
      {problem !== undefined && !(isOpen && suggestions.length > 0) && (
        <div id={`${id}-problem`} class={css.problem} role="alert">
          <Mark text={text} position={problem.position} />
          <p>{problem.words}</p>
        </div>
      )}
    </div>
  );
}

/** What the bridge says of the expression, asked once somebody has stopped writing. */
function useProblem(text: string): ExpressionProblem | undefined {
  const [problem, setProblem] = useState<ExpressionProblem>();
  useEffect(() => {
    const stop = new AbortController();
    const check = async () => {
      const found = await checkExpression(text, stop.signal);
      if (!stop.signal.aborted) setProblem(found);
    };
    const timer = setTimeout(() => void check(), CHECK_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);
  return problem;
}

/** The expression once more, with a mark below where it stops making sense. */
function Mark({ text, position }: { text: string; position: number | undefined }) {
  if (position === undefined) return null;
  const at = Math.min(position - 1, text.length);
  return (
    <pre class={css.where}>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + 1) || " "}</mark>
      {text.slice(at + 1)}
    </pre>
  );
}
