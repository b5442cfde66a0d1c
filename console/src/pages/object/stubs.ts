import { scalarText } from "../../words/exact-json.ts";

/** An object as Nomad lists it. */
export type Stub = Readonly<Record<string, unknown>>;

/** A scalar member as text; "" where there is none. */
export function text(stub: Stub, field: string): string {
  const value = stub[field];
  return value === undefined || value === null ? "" : (scalarText(value) ?? "");
}
