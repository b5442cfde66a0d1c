import type { Place } from "./places.ts";
import { sharedFlags, valueFlags, type Shared } from "./shells.ts";
import type { Offer } from "./values.ts";

/** The completion as a script for fish, 3.1 or newer. */
export function fishScript(places: readonly Place[]): string {
  const commands = places.map(({ path }) => path).filter((path) => path !== "");
  return `# Completion of nomad-changefeed for fish, printed by \`nomad-changefeed completion fish\`.

# Whether this is the argument of that number, or any place where it is "-", of one of these commands.
function __nomad_changefeed_at -a number
    set -l at
    set -l flag
    set -l count 0
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test -n "$flag"
            set flag
            continue
        end
        switch $word
            case ${valueFlags(places).join(" ")}
                set flag $word
            case '-*'
            case '*'
                set -l longer (string join ' ' $at $word)
                if contains -- $longer ${commands.map(quoted).join(" ")}
                    set at $longer
                    set count 0
                else
                    set count (math $count + 1)
                end
        end
    end
    contains -- "$at" $argv[2..-1]; and contains -- "$number" - $count
end

# Names for a list: what stands before the last comma stays.
function __nomad_changefeed_list
    set -l before (commandline -ct | string replace -r -- '^--[^=]*=' '' | string match -r -- '^.*,')
    for name in $argv
        printf '%s\\n' "$before$name"
    end
end

complete -c nomad-changefeed -e
complete -c nomad-changefeed -f
${places.flatMap(positions).join("\n")}
${sharedFlags(places).map(flagLine).join("\n")}
`;
}

function positions({ path, commands, values }: Place): string[] {
  const at = (index: number) => condition(String(index), [path]);
  if (commands.length > 0) {
    return commands.map(
      ({ name, about }) => `complete -c nomad-changefeed ${at(0)} -a ${quoted(name)} -d ${quoted(about)}`,
    );
  }
  return values.flatMap((value, index) => {
    const offer = offered(value);
    return offer === "" ? [] : [`complete -c nomad-changefeed ${at(index)} ${offer}`];
  });
}

function flagLine({ thing: { name, about, value }, paths }: Shared<Place["flags"][number]>): string {
  const takes = value === undefined ? "" : value === "files" ? " -rF" : ` -x ${offered(value)}`.trimEnd();
  return `complete -c nomad-changefeed ${condition("-", paths)} -l ${name.replace(/^--/, "")}${takes} -d ${quoted(about)}`;
}

function condition(number: string, paths: readonly string[]): string {
  return `-n ${quoted(`__nomad_changefeed_at ${number} ${paths.map((path) => `"${path}"`).join(" ")}`)}`;
}

function offered(offer: Offer): string {
  if (offer === "files") return "-F";
  if (offer.names.length === 0) return "";
  const names = offer.names.join(" ");
  return `-a ${quoted(offer.more === "list" ? `(__nomad_changefeed_list ${names})` : names)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", String.raw`\'`)}'`;
}
