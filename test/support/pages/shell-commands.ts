/** One command of a shell: what its variables are set to before it, and its words without their quotes. */
export interface ShellCommand {
  readonly variables: readonly string[];
  readonly words: readonly string[];
}

const HEREDOC = /<<-?'?(\w+)'?(.*)\n[^]*?\n\1(?=\n|$)/g;
/** `2>&1`, `>file`, `<file`: where output goes is none of a command's words. */
const REDIRECTION = /^\d?(>>?|<)(&\d)?$/;

/**
 * The commands of a text in the order in which they stand there, those inside of `$(…)` last. Knows what the pages use
 * of the language and no more: quotes, comments, here-documents, pipes, lists and substitutions.
 */
export function shellCommands(text: string): ShellCommand[] {
  const commands: ShellCommand[] = [];
  const inner: string[] = [];
  let words: string[] = [];
  const end = () => {
    const first = words.findIndex((word) => !/^\w+=/.test(word));
    const count = first === -1 ? words.length : first;
    if (words.length > 0) commands.push({ variables: words.slice(0, count), words: words.slice(count) });
    words = [];
  };
  let isTarget = false;
  for (const token of tokensOf(text.replaceAll(HEREDOC, "$2\n").replaceAll("\\\n", " "))) {
    if (/^([;\n|&]|&&|\|\|)$/.test(token)) end();
    else if (isTarget) isTarget = false;
    else if (REDIRECTION.test(token)) isTarget = !token.includes("&");
    else {
      inner.push(...[...token.matchAll(/\$\(([^()]*)\)/g)].map(([, within = ""]) => within));
      words.push(unquoted(token));
    }
  }
  end();
  return [...commands, ...inner.flatMap(shellCommands)];
}

const TOKEN = new RegExp(
  [
    String.raw`(?<=^|\s)#.*`, // a comment
    String.raw`\d?>&\d|\d?>>?|<(?![^\s>]*>)`, // a redirection; <pid> is a word
    String.raw`&&|\|\||[;\n|&]`,
    String.raw`(?:'[^']*'|"(?:\\.|[^"\\])*"|\$\([^()]*\)|<[^\s<>]*>|\\.|[^\s;|&'"\\<>])+`,
  ].join("|"),
  "gm",
);

function tokensOf(text: string): string[] {
  return (text.match(TOKEN) ?? []).filter((token) => !token.startsWith("#"));
}

function unquoted(token: string): string {
  return token.replaceAll(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replaceAll(/\\(["\\$])/g, "$1") ?? escaped ?? "",
  );
}
