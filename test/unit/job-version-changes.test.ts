import { describe, expect, it } from "vitest";
import { changesOf } from "../../src/events/spec/changes.ts";
import { nomadJobVersionsSchema, type NomadJobDiff } from "../../src/schemas/nomad-job-versions.ts";

type Field = readonly [name: string, before: string, after: string];

const field = ([Name, Old, New]: Field) => ({
  Annotations: null,
  Name,
  New,
  Old,
  Type: Old === New ? "None" : Old === "" ? "Added" : New === "" ? "Deleted" : "Edited",
});
const block = (Name: string, fields: readonly Field[], Objects: object[] | null = null) => ({
  Fields: fields.length === 0 ? null : fields.map(field),
  Name,
  Objects,
  Type: "Edited",
});

/** A diff as Nomad sends it, of one task `main` in the group `web`. */
function diffOf(task: { fields?: readonly Field[]; objects?: object[] }, job: object = {}): NomadJobDiff {
  const Tasks = [{ Annotations: null, ...block("main", task.fields ?? [], task.objects ?? null) }];
  const TaskGroups = [{ ...block("web", []), Tasks, Updates: null }];
  const diff = { Fields: null, ID: "web", Objects: null, TaskGroups, Type: "Edited", ...job };
  return nomadJobVersionsSchema.parse({ Versions: null, Diffs: [diff] }).Diffs[0] as NomadJobDiff;
}

const configOf = (...fields: Field[]) => changesOf(diffOf({ objects: [block("Config", fields)] })).changes;
const HIDDEN = { kind: "edited", old: "[redacted]", new: "[redacted]" };

describe("what a version changed", () => {
  it("is a list of places, with the values before and after", () => {
    const diff = diffOf(
      {
        objects: [
          block("Config", [
            ["image", "web:1", "web:2"],
            ["ports[0]", "", "http"],
          ]),
        ],
      },
      {
        Fields: [field(["Priority", "50", "60"])],
        Objects: [
          block("Datacenters", [
            ["Datacenters", "", "dc2"],
            ["Datacenters", "dc1", "dc1"],
          ]),
        ],
      },
    );
    expect(changesOf(diff)).toEqual({
      changes: [
        { path: "/Priority", kind: "edited", old: "50", new: "60" },
        { path: "/Datacenters", kind: "added", new: "dc2" },
        { path: "/TaskGroups/web/Tasks/main/Config/image", kind: "edited", old: "web:1", new: "web:2" },
        { path: "/TaskGroups/web/Tasks/main/Config/ports/0", kind: "added", new: "http" },
      ],
      omitted: 0,
    });
  });

  it("tells blocks of one name apart by their turn, and goes into blocks within them", () => {
    const check = block("Check", [["Path", "/a", "/b"]]);
    const objects = [
      block("Service", [["PortLabel", "a", ""]], [check]),
      block("Service", [["Name", "", "x"]]),
    ];
    expect(changesOf(diffOf({ objects })).changes.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      "deleted /TaskGroups/web/Tasks/main/Service/1/PortLabel",
      "edited /TaskGroups/web/Tasks/main/Service/1/Check/Path",
      "added /TaskGroups/web/Tasks/main/Service/2/Name",
    ]);
  });

  it("is cut where it is long, says how much is left out, and is not looked through beyond", () => {
    const diff = diffOf({ fields: Array.from({ length: 300 }, (_, at): Field => [`f${at}`, "a", "b"]) });
    const looked = new Set<string>();
    for (const one of diff.TaskGroups[0]?.Tasks[0]?.Fields ?? []) {
      Object.defineProperty(one, "New", { get: () => looked.add(one.Name) && "b" });
    }
    const { changes, omitted } = changesOf(diff);
    expect([changes.length, omitted, looked.size]).toEqual([250, 50, 250]);
  });
});

describe("a value that may be a secret never shows, but that it changed does", () => {
  it.each<Field>([
    ["Env[LOG_LEVEL]", "info", "debug"],
    ["Env[A[b]]", "1", "2"],
    ["Meta[owner]", "me", "you"],
    ["ConsulToken", "one", "two"],
  ])("in a task's %s", (...given) => {
    expect(changesOf(diffOf({ fields: [given] })).changes).toEqual([expect.objectContaining(HIDDEN)]);
  });

  it.each<[block: string, field: Field]>([
    ["Template", ["EmbeddedTmpl", "a", "b"]],
    ["Artifact", ["GetterOptions[sshkey]", "a", "b"]],
    ["Artifact", ["GetterHeaders[X-Any]", "a", "b"]],
    ["Artifact", ["GetterSource", "https://me:pw@x/a.tgz", "https://x/a.tgz"]],
    ["Artifact", ["GetterSource", "git::https://x/a?sshkey=abc", "git::https://x/a"]],
    ["Header", ["Authorization[0]", "a", "b"]],
    ["Config", ["auth[0][password]", "a", "b"]],
    ["Config", ["env[FOO]", "a", "b"]],
    ["Config", ["args[1]", "--db-password=hunter2", "--db-password=hunter3"]],
    ["Config", ["command", "run", "run --api-token xyz"]],
    ["Config", ["url", "x", "postgres://app:hunter2@db/app"]],
    ["Config", ["id", "x", "5456bd7a-9fc0-c0dd-6131-cbee77f57577"]],
    ["Config", ["blob", "x", "Zm9vYmFyMTIzNDU2Nzg5MEFCQ0RFRg=="]],
    ["Config", ["id", "x", "AKIAIOSFODNN7EXAMPLE"]],
    ["Config", ["id", "x", "a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"]],
    ["Config", ["command", "x", "curl see http://x/?a ftp://y"]],
    ["Config", ["command", "x", "run --my.auth-file   f"]],
    ["Secret", ["Config[path]", "a", "b"]],
    ["Service", ["Meta[x]", "a", "b"]],
  ])("in %s: %s", (name, given) => {
    expect(changesOf(diffOf({ objects: [block(name, [given])] })).changes).toEqual([
      expect.objectContaining(HIDDEN),
    ]);
  });

  it("behind a flag that announces it, also where the flag did not change", () => {
    expect(configOf(["args[2]", "--token", "--token"], ["args[3]", "abc", "abd"])).toEqual([
      { path: "/TaskGroups/web/Tasks/main/Config/args/3", ...HIDDEN },
    ]);
    expect(configOf(["args[2]", "--level", "--level"], ["args[3]", "abc", "abd"])).toMatchObject([
      { new: "abd" },
    ]);
  });

  it("where it is too long to be looked through", () => {
    const parts = ["token", "a://", "eyJ-", "x".repeat(100), " "];
    for (const part of parts) {
      const long = part.repeat(2 ** 20 / part.length);
      expect(configOf(["args[0]", "short", long])).toMatchObject([HIDDEN]);
      const allowed = configOf(["args[0]", "short", "x y ".repeat(4096)]);
      expect(allowed).toMatchObject([{ old: "short" }]);
    }
  });

  it("in arguments whose order is unknown", () => {
    const script = block("ChangeScript", [], [block("Args", [["Args", "", "abc"]])]);
    expect(changesOf(diffOf({ objects: [block("Template", [], [script])] })).changes).toEqual([
      { path: "/TaskGroups/web/Tasks/main/Template/ChangeScript/Args", kind: "added", new: "[redacted]" },
    ]);
  });

  it("and what is none shows, whatever the task is called", () => {
    expect(
      configOf(
        ["image", "reg.example/token-service:1", "reg.example/token-service:2"],
        ["command", "/usr/local/bin/MyServer2TheLongNameOfIt", "/bin/sh"],
        ["auth_soft_fail", "false", "true"],
        ["digest", "sha256:aa", `sha256:${"0af".repeat(21)}`],
      ).map((change) => change.new),
    ).toEqual(["reg.example/token-service:2", "/bin/sh", "true", `sha256:${"0af".repeat(21)}`]);
    const diff = diffOf({ objects: [block("Config", [["image", "a:1", "a:2"]])] });
    const named = JSON.parse(JSON.stringify(diff).replaceAll('"main"', '"secret-token"')) as NomadJobDiff;
    expect(changesOf(named).changes).toMatchObject([{ new: "a:2" }]);
  });
});
