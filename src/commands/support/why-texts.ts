import type { Severity } from "../../schemas/severity.ts";
import { plainText } from "../../schemas/terminal-text.ts";
import type { Why, WhyNode, WhyStep } from "../../schemas/why-schema.ts";
import { INDENT, PLAIN, indented, tableText, type Page, type Paint } from "./table-text.ts";
import { shortId } from "../../shared/short-id.ts";
import { timeText } from "./times.ts";
import { wrapText } from "./wrap-text.ts";

/** The object, its story, what hangs together with it, and what is missing. */
export function whyText(why: Why, page: Page): string {
  const { bold, dim } = page.colours;
  const [subject, ...others] = why.nodes;
  const head = subject === undefined ? "" : `${headOf(subject, page)}\n`;
  const parts = [
    `${head}${dim(plainText(why.subject))}\n${dim(`as of ${plainText(why.asOf)}`)}\n`,
    why.story.length === 0
      ? `${dim("nothing is known of how it came to that")}\n`
      : storyText(why.story, page),
    others.length === 0
      ? ""
      : `${bold("WHAT HANGS TOGETHER WITH IT")}\n${tiesText(why, page)}\n${othersText(others, page)}`,
    missingText(why.missing, page),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function headOf({ kind, label, state }: WhyNode, { colours }: Page): string {
  const name = label.startsWith(kind) ? label : `${kind} ${label}`;
  return `${colours.bold(plainText(name))}  ${plainText(state)}`;
}

/** A time and a sentence each; what does not fit is below the sentence. */
function storyText(story: readonly WhyStep[], page: Page): string {
  const { colours, columns } = page;
  const lines = story.map(({ time, words, severity }) => {
    const when = timeText(time);
    const text = wrapText(plainText(words), { columns, indent: when.length + INDENT.length });
    return `${colours.dim(when)}${INDENT}${paintOf(severity, page)(text)}\n`;
  });
  return lines.join("");
}

function tiesText({ edges }: Why, page: Page): string {
  const said = new Set(edges.map(({ words }) => words));
  return [...said].map((words) => `${indented(words, page)}\n`).join("");
}

function othersText(others: readonly WhyNode[], page: Page): string {
  const rows = others.map((node) => ({
    cells: [selectorOf(node), node.state, node.label],
    paint: PLAIN,
    below: null,
  }));
  return tableText(["OBJECT", "STATE", "NAME"], rows, page);
}

/** What `why` takes: `evaluation/4a64cd9a`. */
function selectorOf({ kind, subject }: WhyNode): string {
  const key = subject.split("/").slice(2).join("/");
  return `${kind}/${shortId(key)}`;
}

function missingText(missing: readonly string[], page: Page): string {
  const { yellow, dim } = page.colours;
  return missing
    .map(
      (text) =>
        `${yellow("missing:")} ${dim(wrapText(plainText(text), { columns: page.columns, indent: 9 }))}\n`,
    )
    .join("");
}

function paintOf(severity: Severity, { colours }: Page): Paint {
  if (severity === "ERROR" || severity === "FATAL") return colours.red;
  return severity === "WARN" ? colours.yellow : PLAIN;
}
