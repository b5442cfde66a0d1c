import type { GoValue } from "./go-json.ts";
import { tasksOf, type TaskSpec } from "./job-spec.ts";
import type { GroupSpec, JobVersion } from "./model/job.ts";

type Struct = { readonly [field: string]: GoValue };
/** Values as Go flattens them: all texts; what is not there is "". */
type Flat = ReadonlyMap<string, string>;
type DiffType = "None" | "Added" | "Deleted" | "Edited";

const NOTHING: Flat = new Map();

/** What a version of a job changed in the one before, as Nomad's own comparison says it, with what did not change beside. */
export function jobDiff(before: JobVersion, after: JobVersion): Struct {
  const Fields = fields(jobFields(before), jobFields(after), false);
  const datacenters = setDiff("Datacenters", before.stub.Datacenters, after.stub.Datacenters);
  const TaskGroups = pairs(before.groups, after.groups).map(([old, next]) => groupDiff(old, next));
  const isSame =
    Fields.length === 0 && datacenters === undefined && TaskGroups.every(({ Type }) => Type === "None");
  return {
    Fields: orNull(Fields),
    ID: after.stub.ID,
    Objects: orNull(datacenters === undefined ? [] : [datacenters]),
    TaskGroups,
    Type: isSame ? "None" : "Edited",
  };
}

function jobFields({ stub }: JobVersion): Flat {
  return new Map([
    ["Priority", String(stub.Priority)],
    ["Stop", String(stub.Stop)],
  ]);
}

function groupDiff(before: GroupSpec | undefined, after: GroupSpec | undefined): Struct {
  const count = (group: GroupSpec | undefined): Flat =>
    group === undefined ? NOTHING : new Map([["Count", String(group.count)]]);
  const Fields = fields(count(before), count(after), false);
  const tasks = (group: GroupSpec | undefined) => (group === undefined ? [] : tasksOf(group));
  const Tasks = pairs(tasks(before), tasks(after)).map(([old, next]) => taskDiff(old, next));
  const differs = Fields.length > 0 || Tasks.some(({ Type }) => Type !== "None");
  return {
    Fields: orNull(Fields),
    Name: nameOf(before, after),
    Objects: null,
    Tasks: orNull(Tasks),
    Type: typeOf(before, after, differs),
    Updates: null,
  };
}

function taskDiff(before: TaskSpec | undefined, after: TaskSpec | undefined): Struct {
  const own = (task: TaskSpec | undefined): Flat =>
    task === undefined
      ? NOTHING
      : new Map([
          ["Driver", "docker"],
          ...[...task.env].map(([key, value]) => [`Env[${key}]`, value] as const),
        ]);
  const Fields = fields(own(before), own(after), false);
  const Objects = [
    objectDiff("Config", before?.config, after?.config),
    objectDiff("Resources", resources(before), resources(after)),
    objectDiff("Template", template(before), template(after)),
  ].filter((diff) => diff !== undefined);
  const differs = Fields.length + Objects.length > 0;
  return {
    Annotations: null,
    Fields: orNull(Fields),
    Name: nameOf(before, after),
    Objects: orNull(Objects),
    Type: typeOf(before, after, differs),
  };
}

function resources(task: TaskSpec | undefined): Flat | undefined {
  if (task === undefined) return undefined;
  const numbers = {
    CPU: 100,
    Cores: 0,
    DiskMB: 0,
    IOPS: 0,
    MemoryMB: task.memoryMb,
    MemoryMaxMB: 0,
    SecretsMB: 0,
  };
  return new Map(Object.entries(numbers).map(([name, value]) => [name, String(value)]));
}

function template(task: TaskSpec | undefined): Flat | undefined {
  return (
    task &&
    new Map([
      ["ChangeMode", "restart"],
      ["DestPath", "local/app.conf"],
      ["EmbeddedTmpl", task.template],
    ])
  );
}

/** A block with all its fields, also those that are the same; undefined where all are. */
function objectDiff(Name: string, before: Flat = NOTHING, after: Flat = NOTHING): Struct | undefined {
  const Fields = fields(before, after, true);
  if (Fields.every(({ Type }) => Type === "None")) return undefined;
  const Type = before.size === 0 ? "Added" : after.size === 0 ? "Deleted" : "Edited";
  return { Fields, Name, Objects: null, Type };
}

function setDiff(name: string, before: readonly string[], after: readonly string[]): Struct | undefined {
  const added = after.filter((value) => !before.includes(value)).map((value) => field(name, "", value));
  const deleted = before.filter((value) => !after.includes(value)).map((value) => field(name, value, ""));
  if (added.length + deleted.length === 0) return undefined;
  const kept = before.filter((value) => after.includes(value)).map((value) => field(name, value, value));
  const Type = added.length === 0 ? "Deleted" : deleted.length === 0 ? "Added" : "Edited";
  return { Fields: [...added, ...kept, ...deleted], Name: name, Objects: null, Type };
}

function fields(before: Flat, after: Flat, withSame: boolean): Struct[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names
    .map((name) => field(name, before.get(name) ?? "", after.get(name) ?? ""))
    .filter(({ Type }) => withSame || Type !== "None");
}

function field(Name: string, Old: string, New: string): Struct {
  const Type: DiffType = Old === New ? "None" : Old === "" ? "Added" : New === "" ? "Deleted" : "Edited";
  return { Annotations: null, Name, New, Old, Type };
}

/** By name, in its order. */
function pairs<Item extends { readonly name: string }>(
  before: readonly Item[],
  after: readonly Item[],
): [Item | undefined, Item | undefined][] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))].toSorted();
  const named = (items: readonly Item[], wanted: string) => items.find(({ name }) => name === wanted);
  return names.map((name) => [named(before, name), named(after, name)]);
}

function typeOf(before: unknown, after: unknown, differs: boolean): DiffType {
  if (before === undefined) return "Added";
  if (after === undefined) return "Deleted";
  return differs ? "Edited" : "None";
}

function nameOf(before: { name: string } | undefined, after: { name: string } | undefined): string {
  return (after ?? before)?.name ?? "";
}

/** Go writes an empty list as null. */
function orNull(list: readonly Struct[]): GoValue {
  return list.length === 0 ? null : list;
}
