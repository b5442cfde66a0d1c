import type { GoValue } from "./go-json.ts";
import type { GroupSpec, JobModel, JobStub, JobVersion } from "./model/job.ts";

/** What a task is at one release of its group: each release brings another image, and now and then more. */
export interface TaskSpec {
  readonly name: string;
  readonly config: ReadonlyMap<string, string>;
  readonly env: ReadonlyMap<string, string>;
  readonly memoryMb: number;
  readonly template: string;
}

export function tasksOf({ tasks, release = 0 }: GroupSpec): TaskSpec[] {
  return tasks.map((name) => ({
    name,
    config: new Map([["image", `registry.example/${name}:1.${release}`]]),
    env: new Map([
      ["DATABASE_PASSWORD", `password-${Math.floor(release / 2)}`],
      ["RELEASE", `1.${release}`],
    ]),
    memoryMb: 300 + 64 * Math.floor(release / 3),
    template: `level = ${release % 4 === 3 ? "debug" : "info"}\n`,
  }));
}

/** All versions of a job that are kept, newest first. */
export function versionsOf({ stub, model }: { stub: JobStub; model: JobModel }): JobVersion[] {
  return [currentVersion({ stub, model }), ...model.past];
}

export function currentVersion({ stub, model }: { stub: JobStub; model: JobModel }): JobVersion {
  const { version, groups, versionTag, submitter, stable } = model;
  return { stub, version, groups, versionTag, submitter, stable: stable?.version === version };
}

/** A version of a job as the endpoints of single jobs have it. */
export function fullJob({ stub, version, groups, stable, versionTag, submitter }: JobVersion): {
  readonly [field: string]: GoValue;
} {
  const { JobSummary: _summary, ...own } = stub;
  return {
    ...own,
    Affinities: null,
    AllAtOnce: false,
    Constraints: null,
    Dispatched: stub.ParentID !== "" && stub.ID.includes("/dispatch-"),
    Meta: null,
    NomadTokenID: submitter,
    ParameterizedJob: stub.ParameterizedJob
      ? { MetaOptional: null, MetaRequired: null, Payload: "optional" }
      : null,
    Payload: null,
    Periodic: stub.Periodic
      ? { Enabled: true, ProhibitOverlap: false, Spec: "*/5 * * * *", SpecType: "cron", TimeZone: "UTC" }
      : null,
    Region: "global",
    Stable: stable,
    TaskGroups: groups.map(taskGroup),
    Version: version,
    VersionTag: versionTag === null ? null : { Description: "", Name: versionTag, TaggedTime: 0 },
  };
}

function taskGroup(group: GroupSpec): GoValue {
  return {
    Constraints: null,
    Count: group.count,
    EphemeralDisk: { Migrate: false, SizeMB: 300, Sticky: false },
    Meta: null,
    Name: group.name,
    Networks: null,
    Services: null,
    Tasks: tasksOf(group).map(({ name, config, env, memoryMb, template }) => ({
      Config: config,
      Constraints: null,
      Driver: "docker",
      Env: env,
      Meta: null,
      Name: name,
      Resources: { CPU: 100, Cores: 0, DiskMB: 0, MemoryMB: memoryMb, MemoryMaxMB: 0 },
      Templates: [{ DestPath: "local/app.conf", EmbeddedTmpl: template }],
    })),
  };
}
