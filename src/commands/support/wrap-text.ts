import { widthOf } from "./fit-line.ts";

/**
 * A text in lines of at most `columns`, broken between words, the later ones indented; a longer word stays whole.
 * Without `columns` one line.
 */
export function wrapText(
  text: string,
  { columns, indent }: { columns: number | undefined; indent: number },
): string {
  if (columns === undefined) return text;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && widthOf(longer) + indent > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}
