/** Who gets frames that Nomad never sends: nobody, who asks for them, or all but who does not want them. */
export type ExtraMode = "off" | "asked" | "all";

const PARAMETER = "extra";

/**
 * What a request says of them, which is none of Nomad's parameters: where nobody gets them, nobody looks at it. A text
 * where that cannot be read: why, for the client.
 */
export function wantsExtra(query: URLSearchParams, mode: ExtraMode): boolean | string {
  const given = query.get(PARAMETER);
  if (mode === "off") return false;
  if (given === null) return mode === "all";
  if (given === "true" || given === "false") return given === "true";
  return `Invalid ${PARAMETER} ${JSON.stringify(given)}: allowed are true and false`;
}
