/** A member of an object in JSON text: its name, and where its text and its value begin and where both end. */
interface Member {
  readonly name: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/**
 * The text of an object without some members of the object that its member `inside` holds. What stays keeps its
 * bytes: nothing is parsed. The text is known to be whole JSON; where there is no such member it stays as it is.
 */
export function withoutMembers(json: string, inside: string, names: ReadonlySet<string>): string {
  for (const { name, valueStart, end } of members(json, 0)) {
    if (name !== inside || json[valueStart] !== "{") continue;
    const kept: string[] = [];
    for (const member of members(json, valueStart)) {
      if (!names.has(member.name)) kept.push(json.slice(member.start, member.end));
    }
    return `${json.slice(0, valueStart)}{${kept.join(",")}}${json.slice(end)}`;
  }
  return json;
}

/** The members of an object in JSON text, each value as it is written. */
export function memberTexts(json: string): Map<string, string> {
  return new Map(
    [...members(json, 0)].map(({ name, valueStart, end }) => [name, json.slice(valueStart, end)]),
  );
}

/** The members of the object whose brace stands at `at`. */
function* members(json: string, at: number): Generator<Member> {
  let start = skipSpace(json, at + 1);
  while (json[start] === '"') {
    const nameEnd = endOfString(json, start);
    const valueStart = skipSpace(json, skipSpace(json, nameEnd) + 1);
    const end = endOfValue(json, valueStart);
    yield { name: JSON.parse(json.slice(start, nameEnd)) as string, start, valueStart, end };
    const next = skipSpace(json, end);
    if (json[next] !== ",") return;
    start = skipSpace(json, next + 1);
  }
}

function skipSpace(json: string, at: number): number {
  let position = at;
  while (/\s/.test(json.charAt(position))) position += 1;
  return position;
}

/** Behind the closing quote of the string whose opening quote stands at `at`. */
function endOfString(json: string, at: number): number {
  for (let quote = json.indexOf('"', at + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return json.length;
}

const STRUCTURE = /["{}[\]]/g;
const SCALAR_END = /[,}\]\s]|$/g;

function endOfValue(json: string, at: number): number {
  if (json[at] === '"') return endOfString(json, at);
  if (json[at] !== "{" && json[at] !== "[") {
    SCALAR_END.lastIndex = at;
    return SCALAR_END.exec(json)?.index ?? json.length;
  }
  let depth = 0;
  for (STRUCTURE.lastIndex = at; ;) {
    const found = STRUCTURE.exec(json);
    if (found === null) return json.length;
    if (found[0] === '"') STRUCTURE.lastIndex = endOfString(json, found.index);
    else depth += found[0] === "{" || found[0] === "[" ? 1 : -1;
    if (depth === 0) return found.index + 1;
  }
}
