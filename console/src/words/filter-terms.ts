import { scalarText } from "./exact-json.ts";
import { namesIn } from "./pointer.ts";

/**
 * A term of the filter language (docs/filters.md) that holds where the member at a JSON Pointer has this value.
 * Undefined of what no term can say: an object, a list.
 */
export function equalsTerm(pointer: string, value: unknown): string | undefined {
  if (value === null) return `${selectorOf(pointer)} is nil`;
  const text = scalarText(value);
  if (text === undefined) return undefined;
  return `${selectorOf(pointer)} == ${typeof value === "string" ? JSON.stringify(text) : text}`;
}

/** `ClientStatus`, `TaskStates.main.State`; as a JSON Pointer in quotes where dots cannot say it. */
function selectorOf(pointer: string): string {
  const names = namesIn(pointer);
  const [first = ""] = names;
  const isPlain = /^[A-Z]\w*$/.test(first) && names.every((name) => /^\w+$/.test(name));
  return isPlain ? names.join(".") : JSON.stringify(pointer);
}
