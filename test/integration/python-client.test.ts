import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { changeDataSchema } from "../../src/schemas/event-schema.ts";
import { describeConformance } from "../support/conformance-suite.ts";
import { own } from "../support/own-processes.ts";
import { blocksIn } from "../support/pages/pages.ts";
import { PYTHON, pythonLacks } from "../support/python.ts";
import { expectProgramSays } from "../support/readme-programs.ts";
import { skippedBecause } from "../support/skipped.ts";
import { watchCluster, type WatchedCluster } from "../support/watched-cluster.ts";

const FOLDER = join(import.meta.dirname, "../../clients/python");
const EXAMPLES = ["clients/python/README.md", "docs/client.md"]
  .flatMap((page) => blocksIn(page, "python"))
  .map(({ text: code }) => ({ code, what: /^from nomad_changefeed import (.*)$/m.exec(code)?.[1] }));
/** What each of them says first, or part of it. */
const SAYS: Readonly<Record<string, string>> = {
  "ChangeEvent, subscribe": "allocations/",
  subscribe: "nomad.allocation.",
  subscribe_sync: '"type":"nomad.job.',
  "Event, consume": "page somebody: ",
  watch_state: "jobs/default/",
  feed_api: "allocations/",
};
const NO_TYPES = pythonLacks("mypy", "websockets.asyncio.client");
const LACKS = pythonLacks("websockets.asyncio.client");

describe.skipIf(LACKS !== undefined)(`the Python client${skippedBecause(LACKS)}`, () => {
  describeConformance(PYTHON, join(FOLDER, "tests/conformance.py"));

  describe("beside a cluster", () => {
    let cluster: WatchedCluster;
    beforeAll(async () => {
      cluster = await watchCluster();
    });
    afterAll(() => cluster.close());

    it.each(EXAMPLES)("does what the pages say with $what", async ({ code, what }) => {
      const env = {
        PATH: process.env["PATH"] ?? "",
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONUNBUFFERED: "1",
        PYTHONPATH: join(FOLDER, "src"),
      };
      const start = (program: string) =>
        own(spawn(PYTHON, ["-c", program], { stdio: ["ignore", "pipe", "pipe"], env }), "an example");
      await expectProgramSays(code, {
        cluster,
        start,
        says: SAYS[what ?? ""] ?? "an example without a name",
      });
    });
  });

  it("knows what a change has, as the server's schema does", () => {
    const shape = z.toJSONSchema(changeDataSchema).properties as Record<string, { properties?: object }>;
    const membersOf = (name: string) => Object.keys(shape[name]?.properties ?? {}).toSorted();
    const program = `import json; from nomad_changefeed import wire
print(json.dumps({name: sorted(getattr(wire, name).__annotations__)
  for name in ("ChangeData", "Resource", "Rev", "Observed", "Actor")}))`;
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONPATH: join(FOLDER, "src") };
    const { stdout } = spawnSync(PYTHON, ["-c", program], { env, encoding: "utf8" });
    expect(JSON.parse(stdout)).toEqual({
      ChangeData: Object.keys(shape).toSorted(),
      Resource: membersOf("resource"),
      Rev: membersOf("rev"),
      Observed: membersOf("observed"),
      Actor: membersOf("actor"),
    });
  });
});

it.skipIf(NO_TYPES !== undefined)(`the Python client has strict types${skippedBecause(NO_TYPES)}`, () => {
  const { stdout, status } = spawnSync(PYTHON, ["-m", "mypy", "--cache-dir=/dev/null", "src", "tests"], {
    cwd: FOLDER,
    encoding: "utf8",
  });
  expect(stdout).toContain("Success");
  expect(status).toBe(0);
});
