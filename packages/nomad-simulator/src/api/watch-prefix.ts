import type { Matches } from "../store/replica.ts";
import type { Op } from "../store/state.ts";
import type { IndexName } from "../store/tables.ts";

/**
 * Which writes wake a query over the keys beginning with `prefix`, as Nomad's radix trees have it: writes
 * below the prefix; but where no key begins with it, the query watches the nearest node that exists, and is
 * woken by every write below the longest beginning the prefix shares with any key. In an empty namespace
 * that is mostly every write to the table.
 */
export function watchPrefix(
  tree: IndexName,
  keyOf: (op: Op) => string,
  keys: Iterable<string>,
  prefix: string,
): Matches {
  const watched = longestShared(keys, prefix);
  return (op) => op.trees.includes(tree) && keyOf(op).startsWith(watched);
}

function longestShared(keys: Iterable<string>, prefix: string): string {
  let longest = 0;
  for (const key of keys) {
    let shared = 0;
    while (shared < prefix.length && key[shared] === prefix[shared]) shared += 1;
    if (shared === prefix.length) return prefix;
    longest = Math.max(longest, shared);
  }
  return prefix.slice(0, longest);
}

export function rowOf(op: Op) {
  const row = op.after ?? op.before;
  if (row === undefined) throw new Error("An op without a row");
  return row;
}

/** The bytes of a UUID, or of the beginning of one, as text that compares the same. */
export function uuidKey(uuid: string): string {
  const hex = uuid.replaceAll("-", "").toLowerCase();
  return hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}

/** Why Nomad refuses a UUID prefix, or undefined. */
export function uuidPrefixProblem(prefix: string): string | undefined {
  const hyphens = prefix.split("-").length - 1;
  if (hyphens > 4) return `index error: UUID should have maximum of 4 "-"; got ${hyphens}`;
  const hex = prefix.replaceAll("-", "");
  if (hex.length % 2 !== 0) return "index error: Input (without hyphens) must be even length";
  const wrong = /[^0-9a-f]/i.exec(hex)?.[0];
  if (wrong === undefined) return undefined;
  const code = (wrong.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
  return `index error: Invalid UUID: encoding/hex: invalid byte: U+${code} '${wrong}'`;
}
