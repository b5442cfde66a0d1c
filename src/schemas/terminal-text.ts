/**
 * What can steer a terminal or hide in it: control characters (C0, DEL, C1), formatting characters (bidi controls,
 * zero-width characters, tags), line and paragraph separators, other invisible characters, halves of surrogate pairs.
 * Variation selectors are left alone: emoji need them.
 */
const UNSAFE = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]--\p{Variation_Selector}]/gv;
const REPLACEMENT = "\uFFFD";

/** Text from outside, as one line that cannot steer a terminal: each unsafe character is shown as U+FFFD. */
export function plainText(text: string): string {
  return text.replaceAll(UNSAFE, REPLACEMENT);
}

/** The same for several lines: only the breaks between them are kept. */
export function plainLines(text: string): string {
  return text.split("\n").map(plainText).join("\n");
}

/** JSON that says the same and cannot steer a terminal: unsafe characters are written as escapes. */
export function terminalJson(json: string): string {
  // Control characters below U+0020 stand only between tokens there: inside strings JSON escapes them already.
  return json.replaceAll(UNSAFE, (character) => (character < " " ? character : escaped(character)));
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`,
  ).join("");
}

// oxlint-disable-next-line no-control-regex -- the escape sequences of our own colours
const OWN_COLOUR = /(\u001B\[\d{1,2}m)/;

/**
 * Finished output of ours, for a terminal: line breaks and colours pass, nothing else that steers. The last resort for
 * text from outside that reached it as it was.
 */
export function guardedOutput(text: string): string {
  return text
    .split(OWN_COLOUR)
    .map((part, position) => (position % 2 === 1 ? part : plainLines(part)))
    .join("");
}
