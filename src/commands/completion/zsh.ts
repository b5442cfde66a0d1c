import type { Place, Word } from "./places.ts";
import { sharedFlags, valueFlags } from "./shells.ts";
import type { Offer } from "./values.ts";

/** The completion as a script for zsh: sourced, or as the file `_nomad-changefeed` on its fpath. */
export function zshScript(places: readonly Place[]): string {
  return `#compdef nomad-changefeed
# Completion of nomad-changefeed for zsh, printed by \`nomad-changefeed completion zsh\`.
_nomad_changefeed() {
  local at= flag= word
  local -i count=0 i
  local -a offer
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $flag ]]; then flag=; continue; fi
    case $word in
      (${valueFlags(places).join("|")}) flag=$word ;;
      (-*) ;;
      (*)
        case "\${at:+$at }$word" in
          (${paths(places.map(({ path }) => path).filter((path) => path !== ""))}) at="\${at:+$at }$word" count=0 ;;
          (*) count+=1 ;;
        esac
        ;;
    esac
  done
  if [[ -z $flag && $words[CURRENT] == --*=* ]]; then
    flag=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  if [[ -n $flag ]]; then
    case "$at $flag" in
${branches(
  sharedFlags(places).flatMap(({ thing: { name, value }, paths: at }) =>
    value === undefined ? [] : [[at.map((path) => `${path} ${name}`), offered(value)] as const],
  ),
)}
    esac
  elif [[ $words[CURRENT] == -* ]]; then
    case $at in
${branches(places.map(({ path, flags }) => [[path], described("option", flags)] as const))}
    esac
  else
    case "$at $count" in
${branches(places.flatMap(positions))}
    esac
  fi
}
if [[ $funcstack[1] == _nomad-changefeed ]]; then
  _nomad_changefeed "$@"
else
  compdef _nomad_changefeed nomad-changefeed
fi
`;
}

function positions({ path, commands, values }: Place): (readonly [string[], string])[] {
  if (commands.length > 0) return [[[`${path} 0`], described("command", commands)]];
  return values.map((value, index) => [[`${path} ${index}`], offered(value)] as const);
}

function described(what: string, words: readonly Word[]): string {
  const items = words.map(({ name, about }) => quoted(`${name}:${about}`));
  return items.length === 0 ? "" : `offer=(${items.join(" ")}); _describe -t ${what}s ${what} offer`;
}

function offered(offer: Offer): string {
  if (offer === "files") return "_files";
  if (offer.names.length === 0) return "";
  const names = offer.names.map(quoted).join(" ");
  if (offer.more === "list") return `compset -P '*,'; compadd -q -S , -- ${names}`;
  return offer.more === "beginnings" ? `compadd -S '' -- ${names}` : `compadd -- ${names}`;
}

function branches(all: readonly (readonly [string[], string])[]): string {
  const byOffer = Map.groupBy(all, ([, offer]) => offer);
  return [...byOffer]
    .filter(([offer]) => offer !== "")
    .map(([offer, same]) => `      (${paths(same.flatMap(([keys]) => keys))}) ${offer} ;;`)
    .join("\n");
}

function paths(all: readonly string[]): string {
  return all.map((path) => `"${path}"`).join("|");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
