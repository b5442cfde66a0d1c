import { ASPECTS, OPS } from "../schemas/draft.ts";
import { nearestName } from "../schemas/nearest.ts";
import { RESOURCE_TYPES } from "../schemas/resources.ts";
import { SEVERITY_NAMES } from "../schemas/severity.ts";
import { EVENT_TYPES } from "../schemas/subscription-schema.ts";
import { quoted, shortened } from "../shared/quoted.ts";

const RESOURCE_MEMBERS = ["type", "namespace", "id", "name", "job", "group", "node"] as const;
const ACTOR_MEMBERS = ["kind", "id", "name", "basis"] as const;
const ROOTS = [
  "op",
  "type",
  "aspect",
  "signals",
  "severity",
  "resource",
  "actor",
  "after",
  "before",
  "changes",
] as const;

/** What is wrong with a selector or a value, before its place is known. */
export interface Diagnostic {
  readonly problem: string;
  readonly expected: readonly string[];
  readonly hint?: string;
}

/** Members that hold one of a few words. A term about another word could never be true. */
const WORDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries<readonly string[]>({
    op: OPS,
    type: EVENT_TYPES,
    aspect: ASPECTS,
    severity: SEVERITY_NAMES,
    "resource.type": RESOURCE_TYPES,
  }),
);

/** A name that begins with a capital is a member of the object itself, as Nomad's own filters have it. */
export function isObjectMember(name: string): boolean {
  return /^[A-Z]/.test(name);
}

export function diagnoseSelector(path: readonly string[]): Diagnostic | undefined {
  const [root = "", member] = path;
  if (isObjectMember(root)) return undefined;
  if (!(ROOTS as readonly string[]).includes(root)) return unknownRoot(root);
  if (root === "resource") return diagnoseMember(path, RESOURCE_MEMBERS);
  // Whether there is one at all may be asked.
  if (root === "actor" && member !== undefined) return diagnoseMember(path, ACTOR_MEMBERS);
  if (member !== undefined && WORDS.has(root)) {
    return { problem: `${root} is a word, it has no member ${quoted(member)}`, expected: [root] };
  }
  return undefined;
}

function unknownRoot(root: string): Diagnostic {
  const nearest = nearestName(root, ROOTS);
  const capital = root.charAt(0).toUpperCase() + root.slice(1);
  return {
    problem: `there is no selector ${quoted(root)}`,
    expected: [...ROOTS, "a member of the object, which begins with a capital"],
    hint:
      nearest === undefined
        ? `Members of the object begin with a capital (${shortened(capital)}) or with after.`
        : `Did you mean ${nearest}?`,
  };
}

function diagnoseMember(
  [root, member, below]: readonly string[],
  members: readonly string[],
): Diagnostic | undefined {
  const expected = members.map((name) => `${root}.${name}`);
  if (member === undefined) return { problem: `${root} needs a member`, expected };
  if (below === undefined && members.includes(member)) return undefined;
  const nearest = nearestName(member, members);
  return {
    problem: `${root} has no member ${quoted([member, below].filter(Boolean).join("."))}`,
    expected,
    ...(nearest !== undefined && { hint: `Did you mean ${root}.${nearest}?` }),
  };
}

/** Whether a term about this value could ever be true. */
export function diagnoseValue(
  path: readonly string[],
  operator: "equals" | "contains",
  value: string,
  signals: readonly string[],
): Diagnostic | undefined {
  const name = path.join(".");
  if (name === "changes" && operator === "contains" && value !== "" && !value.startsWith("/")) {
    return {
      problem: `changes are named by paths, and ${quoted(value)} is none`,
      expected: [quoted(`/${value}`)],
    };
  }
  const words =
    name === "signals" && operator === "contains"
      ? signals
      : operator === "equals"
        ? WORDS.get(name)
        : undefined;
  if (words === undefined || words.includes(value)) return undefined;
  const nearest = nearestName(value, words);
  return {
    problem: `${name} is never ${quoted(value)}`,
    expected: words,
    ...(nearest !== undefined && { hint: `Did you mean ${nearest}?` }),
  };
}
