import { Icon } from "./icon.tsx";
import css from "./search-field.module.css";

interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** Where one types what to look for among what is shown. */
export function SearchField({ label, value, onInput }: SearchFieldProps) {
  return (
    <label class={css.field}>
      <Icon name="search" size={13} />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}
