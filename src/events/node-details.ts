import type { NodeDetails } from "../schemas/enrichment-schema.ts";
import { integerText, isJsonObject, objectOf, stringField, type JsonObject } from "../schemas/json.ts";
import { REDACTED } from "../schemas/redaction-schema.ts";
import { plainText } from "../schemas/terminal-text.ts";
import { pointerOf } from "../shared/json-pointer.ts";
import { mayBeSecret } from "./spec/secrets.ts";
import type { Redact } from "./spec/redacted-change.ts";

/** A node's attributes and meta, by JSON Pointer. */
export type NodeFacts = ReadonlyMap<string, string>;

/** Raft indexes of the node's version before, where it is known, and now, in decimal. */
interface Span {
  readonly previous: string | undefined;
  readonly current: string;
}

const MAX_CHANGES = 50;
const MAX_CHARACTERS = 300;

export function factsOfNode(node: JsonObject): NodeFacts {
  return new Map(
    ["Attributes", "Meta"].flatMap((block) =>
      Object.entries(objectOf(node[block])).flatMap(([name, value]) =>
        typeof value === "string" ? [[pointerOf([block, name]), value] as const] : [],
      ),
    ),
  );
}

/** The node's own events since the version before. */
export function nodeEvents(
  node: JsonObject,
  { previous, current }: Span,
  redact: Redact,
): NodeDetails["events"] {
  const events = Array.isArray(node["Events"]) ? node["Events"].filter(isJsonObject) : [];
  return events
    .filter((event) => {
      // That it was registered has no index.
      const index = BigInt(integerText(event["CreateIndex"]) ?? 0);
      return index <= BigInt(current) && (previous === undefined || index > BigInt(previous));
    })
    .map((event) => {
      const { message } = redact({ message: stringField(event, "Message") ?? "" });
      return {
        message: shown(message),
        subsystem: shown(stringField(event, "Subsystem") ?? ""),
        time: shown(stringField(event, "Timestamp") ?? ""),
      };
    });
}

/** What differs in attributes and meta; what may be a secret, by its name or its look, is not among the values. */
export function factChanges(
  before: NodeFacts,
  after: NodeFacts,
  redact: Redact,
): Required<Pick<NodeDetails, "changes" | "omitted">> {
  const paths = [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .toSorted();
  const changes = paths.slice(0, MAX_CHANGES).map((path) => {
    const [from, to] = [before.get(path), after.get(path)];
    const values = [from, to].filter((value) => value !== undefined);
    const isSecret = mayBeSecret([path.slice(path.indexOf("/", 1) + 1)], values);
    const told = redact({ path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
    const valueOf = (value: string) => (isSecret ? REDACTED : shown(value));
    return {
      path: told.path,
      ...(told.from !== undefined && { from: valueOf(told.from) }),
      ...(told.to !== undefined && { to: valueOf(told.to) }),
    };
  });
  return { changes, omitted: paths.length - changes.length };
}

function shown(text: string): string {
  const plain = plainText(text);
  return plain.length <= MAX_CHARACTERS ? plain : `${plain.slice(0, MAX_CHARACTERS).toWellFormed()}…`;
}
