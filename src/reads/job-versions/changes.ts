import type { SpecChange } from "../../schemas/job-versions-schema.ts";
import type { NomadFieldDiff, NomadJobDiff, NomadObjectDiff } from "../../schemas/nomad-job-versions.ts";
import { REDACTED } from "../../schemas/redaction-schema.ts";
import { announcesSecret, mayBeSecret } from "./secrets.ts";

export interface SpecDiff {
  readonly changes: SpecChange[];
  readonly omitted: number;
}

interface Block {
  readonly Fields: readonly NomadFieldDiff[];
  readonly Objects: readonly NomadObjectDiff[];
}

/** Where a block stands: which group and task, and the blocks from there on. */
interface Place {
  readonly owner: readonly string[];
  readonly names: readonly string[];
}

const MAX_CHANGES = 250;
const MAX_VALUE_CHARACTERS = 1000;

const KINDS = { Added: "added", Deleted: "deleted", Edited: "edited" } as const;

/** What changed, as a list of places with their values; what may be a secret is not among the values. */
export function changesOf(diff: NomadJobDiff): SpecDiff {
  const changes = [
    ...changesIn(diff, { owner: [], names: [] }),
    ...diff.TaskGroups.flatMap((group) => {
      const owner = ["TaskGroups", group.Name];
      return [
        ...changesIn(group, { owner, names: [] }),
        ...group.Tasks.flatMap((task) =>
          changesIn(task, { owner: [...owner, "Tasks", task.Name], names: [] }),
        ),
      ];
    }),
  ];
  return { changes: changes.slice(0, MAX_CHANGES), omitted: Math.max(0, changes.length - MAX_CHANGES) };
}

function changesIn(block: Block, place: Place): SpecChange[] {
  const alike = Map.groupBy(block.Objects, ({ Name }) => Name);
  return [
    ...fieldChanges(block.Fields, place),
    ...block.Objects.flatMap((object) => {
      const siblings = alike.get(object.Name) ?? [];
      // Without a name of its own a block is told from others by its turn.
      const turn = siblings.length === 1 ? [] : [String(siblings.indexOf(object) + 1)];
      return changesIn(object, { ...place, names: [...place.names, object.Name, ...turn] });
    }),
  ];
}

function fieldChanges(fields: readonly NomadFieldDiff[], place: Place): SpecChange[] {
  const byName = new Map(fields.map((field) => [field.Name, field]));
  return fields.flatMap((field): SpecChange[] => {
    if (field.Type === "None") return [];
    const names = [...place.names, ...fieldNames(field.Name, place.names.at(-1))];
    const isSecret = mayBeSecret(names, [field.Old, field.New]) || followsFlag(field.Name, byName);
    const shown = (value: string) => (isSecret ? REDACTED : cut(value));
    return [
      {
        path: pointer([...place.owner, ...names]),
        kind: KINDS[field.Type],
        ...(field.Type !== "Added" && { old: shown(field.Old) }),
        ...(field.Type !== "Deleted" && { new: shown(field.New) }),
      },
    ];
  });
}

/** `Env[LOG_LEVEL]` is LOG_LEVEL in Env, `ports[0]` the first of ports; a set repeats its block's name in each field. */
function fieldNames(name: string, block: string | undefined): string[] {
  if (name === block) return [];
  const [, first = name, rest] = /^([^[]*)\[(.*)\]$/s.exec(name) ?? [];
  return rest === undefined ? [first] : [first, ...rest.split("][")];
}

/** `args[3]` behind an `args[2]` of --password, in the old version or the new. */
function followsFlag(name: string, fields: ReadonlyMap<string, NomadFieldDiff>): boolean {
  const [, list, number] = /^(.*)\[(\d+)\]$/s.exec(name) ?? [];
  if (list === undefined) return false;
  const before = fields.get(`${list}[${Number(number) - 1}]`);
  return before !== undefined && (announcesSecret(before.Old) || announcesSecret(before.New));
}

function cut(value: string): string {
  return value.length <= MAX_VALUE_CHARACTERS ? value : `${value.slice(0, MAX_VALUE_CHARACTERS)}…`;
}

function pointer(names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
