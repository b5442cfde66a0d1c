import { useEffect, useRef, useState } from "preact/hooks";
import { RequestFailed } from "nomad-changefeed-client";
import { useCommands } from "../../app/keys.ts";
import { setQuery } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import css from "./state.module.css";

interface FilterInputProps {
  readonly value: string;
  readonly example: string;
  /** What the bridge said of it. */
  readonly error: unknown;
}

/** An expression of the filter language; Enter applies it. */
export function FilterInput({ value, example, error }: FilterInputProps) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const apply = (next: string) => setQuery({ filter: next.trim() }, { replace: false });
  useCommands([{ group: "Table", words: "Filter", keys: "/", run: () => input.current?.focus() }]);
  const mistake = error instanceof RequestFailed && error.position !== undefined ? error : undefined;
  const position = text === value ? mistake?.position : undefined;
  return (
    <form
      class={css.filter}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        apply(text);
      }}
    >
      <Icon name="filter" size={14} />
      <input
        ref={input}
        type="text"
        aria-label="Filter"
        aria-invalid={position === undefined ? undefined : "true"}
        placeholder={example}
        spellcheck={false}
        autocomplete="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {text !== "" && (
        <Button
          icon="close"
          kind="bare"
          label="No filter"
          onClick={() => {
            setText("");
            apply("");
          }}
        />
      )}
      {position !== undefined && (
        <div class={css.mistake} role="alert">
          <Mark text={text} position={position} />
          <p>{mistake?.message}</p>
        </div>
      )}
    </form>
  );
}

/** The expression once more, with a mark below where it stops making sense. */
function Mark({ text, position }: { text: string; position: number }) {
  const at = Math.min(position - 1, text.length);
  return (
    <p class={css.mark}>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + 1) || " "}</mark>
      {text.slice(at + 1)}
    </p>
  );
}
