import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { changeDataSchema } from "../../src/schemas/event-schema.ts";
import { describeConformance } from "../support/conformance-suite.ts";
import { buildGoProgram, GO_CLIENT, goProgram } from "../support/go-program.ts";
import { own } from "../support/own-processes.ts";
import { blocksIn } from "../support/pages/pages.ts";
import { expectProgramSays } from "../support/readme-programs.ts";
import { skippedBecause } from "../support/skipped.ts";
import { watchCluster, type WatchedCluster } from "../support/watched-cluster.ts";

/** What each program of the README says first, or part of it, by the function that it is about. */
const SAYS: Readonly<Record<string, string>> = {
  Subscribe: "allocations/",
  "Subscribe, in vain": "types is wrong: ",
  Consume: "page somebody: ",
  WatchState: "jobs/default/",
  NewAPI: "allocations/",
};
const PROGRAMS = ["clients/go/README.md", "docs/client.md"]
  .flatMap((page) => blocksIn(page, "go"))
  .map(({ text: code }, at) => ({
    code,
    at,
    what: `${/changefeed\.(Subscribe|Consume|WatchState|NewAPI)\(/.exec(code)?.[1]}${code.includes("ErrCursorExpired") ? ", in vain" : ""}`,
  }));
const { lacks } = buildGoProgram("go-client-conformance");

/** What it says; what it says against it, where it fails. */
function go(...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync("go", args, { cwd: GO_CLIENT, encoding: "utf8" });
  if (status !== 0) throw new Error(stdout + stderr);
  return stdout.trim();
}

describe.skipIf(lacks !== undefined)(`the Go client${skippedBecause(lacks)}`, () => {
  describeConformance(goProgram("go-client-conformance"));

  it("passes its own tests, which leave no goroutine", () => {
    expect(go("test", "./...")).toContain("ok");
  });

  it("is vetted and formatted", () => {
    go("vet", "./...");
    const gofmt = join(go("env", "GOROOT"), "bin/gofmt");
    const { stdout } = spawnSync(gofmt, ["-l", "."], { cwd: GO_CLIENT, encoding: "utf8" });
    expect(stdout).toBe("");
  });

  describe("beside a cluster", () => {
    let cluster: WatchedCluster;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "ncf-go-"));
      cluster = await watchCluster();
    });
    afterAll(async () => {
      await cluster.close();
      rmSync(folder, { recursive: true });
    });

    it.each(PROGRAMS)("does what the README says with $what", async ({ code, at, what }) => {
      const start = (program: string) => {
        const source = join(folder, `program${at}.go`);
        writeFileSync(source, program);
        // Without what a debugger reads it is linked sooner.
        go("build", "-ldflags=-w -s", "-o", join(folder, `program${at}`), source);
        return own(spawn(join(folder, `program${at}`), { stdio: ["ignore", "pipe", "pipe"] }), "an example");
      };
      await expectProgramSays(code, { cluster, start, says: SAYS[what] ?? "an example without a name" });
    });
  });

  it("knows what a change has, as the server's schema does", () => {
    const source = readFileSync(join(GO_CLIENT, "wire.go"), "utf8");
    const namesOf = (type: string) => {
      const body = new RegExp(`^type ${type} struct \\{\\n([\\s\\S]*?)^\\}`, "m").exec(source)?.[1] ?? "";
      return [...body.matchAll(/`json:"(\w+)/g)].map(([, name = ""]) => name).toSorted();
    };
    const shape = z.toJSONSchema(changeDataSchema).properties as Record<string, { properties?: object }>;
    const membersOf = (name: string) => Object.keys(shape[name]?.properties ?? {}).toSorted();
    expect(namesOf("Change")).toEqual(Object.keys(shape).toSorted());
    expect(namesOf("Resource")).toEqual(membersOf("resource"));
    expect(namesOf("Rev")).toEqual(membersOf("rev"));
    expect(namesOf("Observed")).toEqual(membersOf("observed"));
    expect(namesOf("Actor")).toEqual(membersOf("actor"));
  });
});
