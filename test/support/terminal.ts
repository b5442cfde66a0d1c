/** A name with everything that could steer a terminal or hide in it; Nomad takes it as the id of a job. */
export const HOSTILE_NAME =
  "a\u001B[2J\u001B[31m\u009Bc\u007F\rb\u202Ecod.exe\u2066\u2069\u200E\u200F\u061C\u200B\u200D\u2028\u2029\uFEFF\u00ADz";

/** Ranges of code points that a terminal must not get from outside; a line feed only between lines. */
export const FORBIDDEN: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x09],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe007f],
];

/** The code points of an output that a terminal must not get, as `U+202E`; a line feed ends a line. */
export function steeringIn(output: string): string[] {
  const found = Array.from(output, (character) => character.codePointAt(0) ?? 0).filter((code) =>
    FORBIDDEN.some(([first, last]) => code >= first && code <= last),
  );
  return found.map((code) => `U+${code.toString(16).toUpperCase().padStart(4, "0")}`);
}
