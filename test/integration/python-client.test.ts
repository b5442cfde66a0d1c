import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { changeDataSchema } from "../../src/schemas/event-schema.ts";
import {
  changeTasks,
  conformanceCases,
  expectConformance,
  expectChange,
  type Client,
} from "../support/conformance.ts";
import { killed, own } from "../support/own-processes.ts";
import { PYTHON, pythonLacks } from "../support/python.ts";
import { pythonClient } from "../support/python-conformance.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";
import { watchCluster, type WatchedCluster } from "../support/watched-cluster.ts";

const FOLDER = join(import.meta.dirname, "../../clients/python");
const EXAMPLES = [
  ...readFileSync(join(FOLDER, "README.md"), "utf8").matchAll(/```python\n([\s\S]*?)```/g),
].map(([, code = ""]) => ({ code, what: /^from nomad_changefeed import (.*)$/m.exec(code)?.[1] }));
/** What each of them says first, or part of it. */
const SAYS: Readonly<Record<string, string>> = {
  "ChangeEvent, subscribe": "allocations/",
  subscribe_sync: '"type":"nomad.job.',
  "Event, consume": "page somebody: ",
  watch_state: "jobs/default/",
  feed_api: "allocations/",
};
const NO_TYPES = pythonLacks("mypy", "websockets.asyncio.client");
const LACKS = pythonLacks("websockets.asyncio.client");

describe.skipIf(LACKS !== undefined)(`the Python client${skippedBecause(LACKS)}`, () => {
  let python: ReturnType<typeof pythonClient>;
  const client: Client = (task) => python.client(task);
  beforeAll(() => void (python = pythonClient()));
  afterAll(() => python[Symbol.asyncDispose]());

  describe.each(["streams", "http", "states", "reads"])("conformance of %s:", (file) => {
    it.each(conformanceCases(file))("$name", (given) => expectConformance(client, given));
  });

  describe("beside a cluster", () => {
    let cluster: WatchedCluster;
    beforeAll(async () => {
      cluster = await watchCluster();
    });
    afterAll(() => cluster.close());

    it.each(EXAMPLES)("does what the README says with $what", async ({ code, what }) => {
      const env = {
        PATH: process.env["PATH"] ?? "",
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONUNBUFFERED: "1",
        PYTHONPATH: join(FOLDER, "src"),
      };
      const program = code.replaceAll("http://127.0.0.1:4650", cluster.bridge.url);
      const child = own(
        spawn(PYTHON, ["-c", program], { stdio: ["ignore", "pipe", "pipe"], env }),
        "an example",
      );
      let said = "";
      let complaint = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
      await until("it says something", () => {
        cluster.simulator.churn(5);
        return said !== "" || complaint !== "";
      });
      await killed(child);
      expect(complaint).toBe("");
      expect(said).toContain(SAYS[what ?? ""] ?? "an example without a name");
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

  describe("conformance of changes:", () => {
    it.each(changeTasks())("$name", (given) => expectChange(client, given));
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
