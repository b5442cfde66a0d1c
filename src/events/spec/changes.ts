import { pointerOf } from "../../shared/json-pointer.ts";
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

/** A field that changed, where it stands, and the others beside it. */
interface FieldChange {
  readonly field: NomadFieldDiff;
  readonly kind: SpecChange["kind"];
  readonly place: Place;
  readonly beside: ReadonlyMap<string, NomadFieldDiff>;
}

const MAX_CHANGES = 250;

const KINDS = { Added: "added", Deleted: "deleted", Edited: "edited" } as const;

/** What changed, as a list of places with their whole values; what may be a secret is not among the values. */
export function changesOf(diff: NomadJobDiff): SpecDiff {
  const all = [
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
  // To find out what may be a secret costs the most: of those that are listed alone.
  const changes = all.slice(0, MAX_CHANGES).map(changeOf);
  return { changes, omitted: all.length - changes.length };
}

function changesIn(block: Block, place: Place): FieldChange[] {
  const alike = Map.groupBy(block.Objects, ({ Name }) => Name);
  const turns = new Map<string, number>();
  return [
    ...fieldChanges(block.Fields, place),
    ...block.Objects.flatMap((object) => {
      const { Name } = object;
      const turn = (turns.get(Name) ?? 0) + 1;
      turns.set(Name, turn);
      // Without a name of its own a block is told from others by its turn.
      const told = alike.get(Name)?.length === 1 ? [Name] : [Name, String(turn)];
      return changesIn(object, { ...place, names: [...place.names, ...told] });
    }),
  ];
}

function fieldChanges(fields: readonly NomadFieldDiff[], place: Place): FieldChange[] {
  const beside = new Map(fields.map((field) => [field.Name, field]));
  return fields.flatMap((field) =>
    field.Type === "None" ? [] : [{ field, kind: KINDS[field.Type], place, beside }],
  );
}

function changeOf({ field, kind, place, beside }: FieldChange): SpecChange {
  const names = [...place.names, ...fieldNames(field.Name, place.names.at(-1))];
  const isSecret = mayBeSecret(names, [field.Old, field.New]) || followsFlag(field.Name, beside);
  const shown = (value: string) => (isSecret ? REDACTED : value);
  return {
    path: pointerOf([...place.owner, ...names]),
    kind,
    ...(kind !== "added" && { old: shown(field.Old) }),
    ...(kind !== "deleted" && { new: shown(field.New) }),
  };
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
