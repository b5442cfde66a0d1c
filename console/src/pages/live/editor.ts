import {
  acceptCompletion,
  autocompletion,
  completionKeymap,
  type CompletionContext,
} from "@codemirror/autocomplete";
import { linter, type Diagnostic } from "@codemirror/lint";
import { Prec, RangeSetBuilder } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  keymap,
  placeholder,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from "@codemirror/view";
import type { ExpressionProblem } from "../../ui/filter/check-expression.ts";
import { completionAt, type KnownValues } from "../../ui/filter/completion.ts";

export interface EditorOptions {
  /** Has no children of its own. */
  readonly parent: HTMLElement;
  readonly text: string;
  readonly known: KnownValues;
  readonly check: (text: string) => Promise<ExpressionProblem | undefined>;
  readonly onApply: (text: string) => void;
  readonly onClose: () => void;
}

const CHECK_MS = 300;
const WORDS =
  /"(?:[^"\\]|\\.)*"?|`[^`]*`?|\b(?:and|or|not|in|is|empty|nil|contains|matches|any|all|as)\b|[=!]=|\b\d+(?:\.\d+)?\b/g;

/**
 * An editor of an expression: many lines, colours, completion, what is wrong under its character. It lives in a shadow
 * root, where its styles are sheets and no `<style>`, which the page's policy does not let in.
 */
export function openEditor({ parent, text, known, check, onApply, onClose }: EditorOptions): () => void {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open" });
  const view = new EditorView({
    root,
    parent: root,
    doc: text,
    selection: { anchor: text.length },
    extensions: [
      Prec.highest(
        keymap.of([
          { key: "Mod-Enter", run: ({ state }) => (onApply(oneLine(state.doc.toString())), true) },
          { key: "Tab", run: acceptCompletion },
          {
            key: "Escape",
            run: ({ dom }) => dom.querySelector(".cm-tooltip-autocomplete") === null && (onClose(), true),
          },
        ]),
      ),
      keymap.of(completionKeymap),
      autocompletion({ override: [(context) => completionsIn(context, known)], icons: false }),
      linter(({ state }) => problemsIn(state.doc.toString(), check), { delay: CHECK_MS }),
      placeholder('ClientStatus == "failed"\nand resource.job == "web"'),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({
        "aria-label": "Filter expression, in an editor",
        spellcheck: "false",
      }),
      colours,
      LOOKS,
    ],
  });
  view.focus();
  return () => view.destroy();
}

function completionsIn({ state, pos, explicit }: CompletionContext, known: KnownValues) {
  const { from, suggestions } = completionAt(state.doc.toString(), pos, known);
  if (
    suggestions.length === 0 ||
    (!explicit && from === pos && pos > 0 && state.sliceDoc(pos - 1, pos) !== " ")
  )
    return null;
  return {
    from,
    filter: false,
    options: suggestions.map(({ insert, about }) => ({
      label: insert,
      apply: `${insert} `,
      ...(about !== undefined && { detail: about }),
    })),
  };
}

async function problemsIn(text: string, check: EditorOptions["check"]): Promise<Diagnostic[]> {
  const problem = text.trim() === "" ? undefined : await check(text);
  if (problem === undefined) return [];
  const from = Math.min(text.length, Math.max(0, (problem.position ?? 1) - 1));
  return [{ from, to: Math.min(text.length, from + 1), severity: "error", message: problem.words }];
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}

const colours = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;

    constructor(view: EditorView) {
      this.decorations = decorationsOf(view.state.doc.toString());
    }

    update({ docChanged, state }: ViewUpdate): void {
      if (docChanged) this.decorations = decorationsOf(state.doc.toString());
    }
  },
  { decorations: ({ decorations }) => decorations },
);

function decorationsOf(text: string): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const match of text.matchAll(WORDS)) {
    const [word] = match;
    const kind = /^["`]/.test(word) ? "value" : /^\d/.test(word) ? "number" : "word";
    builder.add(match.index, match.index + word.length, Decoration.mark({ class: `ncf-${kind}` }));
  }
  return builder.finish();
}

const LOOKS = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--bg)", fontSize: "12.5px" },
  "&.cm-focused": { outline: "2px solid var(--focus)" },
  ".cm-scroller": { fontFamily: "var(--mono)", minHeight: "72px", maxHeight: "220px", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 4px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--faint)" },
  ".ncf-value": { color: "var(--ok)" },
  ".ncf-number": { color: "var(--fatal)" },
  ".ncf-word": { color: "var(--info)", fontWeight: "600" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    borderBottom: "2px solid var(--error)",
    backgroundColor: "var(--error-soft)",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 8px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--selected)",
    color: "var(--text)",
  },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--error)", color: "var(--text)" },
});
