import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import css from "./form.module.css";
import { Failure } from "./panel.tsx";

interface FormProps {
  /** What its button says. */
  readonly action: string;
  /** Rejects with what is wrong, which is then said above the button. */
  readonly onSubmit: () => Promise<unknown>;
  readonly children: ComponentChildren;
}

/** Fields and a button, which does it once however often it is pressed. */
export function Form({ action, onSubmit, children }: FormProps) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    try {
      await onSubmit();
      setError(undefined);
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class={css.form} onSubmit={(event) => void submit(event)}>
      {children}
      {error !== undefined && <Failure error={error} />}
      <SubmitButton disabled={isBusy}>{action}</SubmitButton>
    </form>
  );
}

/** What sends the form that it stands in. */
export function SubmitButton({ children, disabled = false }: { children: string; disabled?: boolean }) {
  return (
    <button type="submit" class={css.submit} disabled={disabled}>
      {children}
    </button>
  );
}

/** Fields that do what they say at once, without a button. */
export function Fields({ children }: { children: ComponentChildren }) {
  return <div class={css.fields}>{children}</div>;
}

interface FieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly mono?: boolean;
  readonly required?: boolean;
}

/** A line of text with what it is. */
export function Field({ label, hint, value, onInput, mono = false, required = false }: FieldProps) {
  return (
    <label class={css.field}>
      <span>{label}</span>
      <input
        type="text"
        class={mono ? "mono" : ""}
        value={value}
        placeholder={hint}
        required={required}
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly { readonly value: string; readonly words: string }[];
}

/** One of several. */
export function Choice({ label, value, onChange, options }: ChoiceProps) {
  return (
    <label class={css.field}>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map((option, at) => (
          <option key={`${option.value}${at}`} value={option.value}>
            {option.words}
          </option>
        ))}
      </select>
    </label>
  );
}

interface RadiosProps {
  readonly legend: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly { readonly value: string; readonly words: string }[];
}

/** One of few, all in sight. */
export function Radios({ legend, value, onChange, options }: RadiosProps) {
  const name = useId();
  return (
    <fieldset class={css.choices}>
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.words}
        </label>
      ))}
    </fieldset>
  );
}
