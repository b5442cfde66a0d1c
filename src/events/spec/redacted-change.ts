import type { SpecChange } from "../../schemas/job-versions-schema.ts";

/** Takes out of texts what the configuration says must not leave; a `path` says where the others stand. */
export type Redact = <Texts extends object>(texts: Texts) => Texts;

const MAX_VALUE_CHARACTERS = 1000;

/** A change as it may be shown: redacted, and its values not too long. */
export function redactedChange({ kind, ...texts }: SpecChange, redact: Redact): SpecChange {
  const { path, old, new: now } = redact(texts);
  return {
    path,
    kind,
    ...(old !== undefined && { old: cut(old) }),
    ...(now !== undefined && { new: cut(now) }),
  };
}

/** After it was redacted: of a secret that is cut in two, no rule would know the first part. */
function cut(value: string): string {
  if (value.length <= MAX_VALUE_CHARACTERS) return value;
  return `${value.slice(0, MAX_VALUE_CHARACTERS).toWellFormed()}…`;
}
