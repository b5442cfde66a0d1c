import { useEffect } from "preact/hooks";
import { knownObjects, readKnownObjects } from "../app/known-objects.ts";
import { setQuery } from "../app/router.ts";
import css from "./namespace-select.module.css";

/** Which namespace; those that this reader may see. */
export function NamespaceSelect({ value }: { value: string }) {
  useEffect(() => void readKnownObjects(), []);
  const known = knownObjects.value
    .filter(({ resource }) => resource === "namespaces")
    .map(({ name }) => name);
  const names = value === "" || known.includes(value) ? known : [value, ...known];
  return (
    <select
      class={css.select}
      aria-label="Namespace"
      value={value}
      onChange={(event) => setQuery({ namespace: event.currentTarget.value }, { replace: false })}
    >
      <option value="">All namespaces</option>
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}
