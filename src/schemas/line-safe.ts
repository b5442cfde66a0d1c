/**
 * What JSON allows raw in a string and readers of lines break at: NEL, LINE SEPARATOR and PARAGRAPH SEPARATOR
 * (Node's readline, Python's splitlines, and what builds on them). With NEL go the other C1 controls, which some
 * terminals obey.
 */
const UNSAFE = /[\u0080-\u009f\u2028\u2029]/;
const EACH_UNSAFE = new RegExp(UNSAFE, "g");

/**
 * JSON text that means the same and is one line to every reader of lines, if it was one to JSON's own rules. @internal
 */
export function lineSafe(json: string): string {
  return UNSAFE.test(json) ? json.replaceAll(EACH_UNSAFE, escaped) : json;
}

/** JSON.stringify, for whatever leaves the process. */
export function jsonText(value: object, indent?: number): string {
  return lineSafe(JSON.stringify(value, undefined, indent));
}

/**
 * The text of a stub for a place within a line. Where a proxy laid it out for people, line ends stand between members
 * only.
 */
export function stubText(stub: { toString(encoding: "utf8"): string }): string {
  return lineSafe(stub.toString("utf8").replaceAll(/[\r\n]/g, " "));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
