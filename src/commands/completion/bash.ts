import type { Place } from "./places.ts";
import { sharedFlags, valueFlags } from "./shells.ts";
import type { Offer } from "./values.ts";

/** The completion as a script for bash, 3.2 or newer. */
export function bashScript(places: readonly Place[]): string {
  return `# Completion of nomad-changefeed for bash, printed by \`nomad-changefeed completion bash\`.
_nomad_changefeed() {
  local at="" flag="" count=0 word offer="" i
  local cur=\${COMP_WORDS[COMP_CWORD]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # bash takes --flag=value for three words.
    if [[ $word == = ]]; then continue; fi
    if [[ -n $flag ]]; then flag="" && continue; fi
    case $word in
      ${valueFlags(places).join(" | ")}) flag=$word ;;
      -*) ;;
      *)
        case "\${at:+$at }$word" in
          ${paths(places.map(({ path }) => path).filter((path) => path !== ""))}) at="\${at:+$at }$word" count=0 ;;
          *) count=$((count + 1)) ;;
        esac
        ;;
    esac
  done
  if [[ $cur == = ]]; then cur=""; fi
  # What is offered: words behind the letter that says of which kind they are.
  if [[ -n $flag ]]; then
    case "$at $flag" in
${branches(
  sharedFlags(places).flatMap(({ thing: { name, value }, paths: at }) =>
    value === undefined ? [] : [[at.map((path) => `${path} ${name}`), offered(value)] as const],
  ),
)}
    esac
  elif [[ $cur == -* ]]; then
    case $at in
${branches(places.map(({ path, flags }) => [[path], `w ${flags.map(({ name }) => name).join(" ")}`] as const))}
    esac
  else
    case "$at $count" in
${branches(places.flatMap(positions))}
    esac
  fi
  local kind=\${offer%% *} before=""
  if [[ $kind == l && $cur == *,* ]]; then before=\${cur%,*},; fi
  COMPREPLY=()
  # Files are what bash offers by itself where nothing else is.
  if [[ $kind == f ]]; then return; fi
  compopt +o default +o bashdefault 2>/dev/null
  if [[ $kind == [lb] ]]; then compopt -o nospace 2>/dev/null; fi
  COMPREPLY=($(compgen -W "\${offer#* }" -P "$before" -- "\${cur#"$before"}"))
}
complete -o bashdefault -o default -F _nomad_changefeed nomad-changefeed
`;
}

function positions({ path, commands, values }: Place): (readonly [string[], string])[] {
  if (commands.length > 0) return [[[`${path} 0`], `w ${commands.map(({ name }) => name).join(" ")}`]];
  return values.map((value, index) => [[`${path} ${index}`], offered(value)] as const);
}

function offered(offer: Offer): string {
  if (offer === "files") return "f";
  const kind = { list: "l", beginnings: "b", none: "w" }[offer.more ?? "none"];
  return `${kind} ${offer.names.join(" ")}`.trim();
}

/** Those that offer the same are one branch; those that offer nothing are left out. */
function branches(all: readonly (readonly [string[], string])[]): string {
  const byOffer = Map.groupBy(all, ([, offer]) => offer);
  return [...byOffer]
    .filter(([offer]) => offer !== "w")
    .map(([offer, same]) => `      ${paths(same.flatMap(([keys]) => keys))}) offer="${offer}" ;;`)
    .join("\n");
}

function paths(all: readonly string[]): string {
  return all.map((path) => `"${path}"`).join(" | ");
}
