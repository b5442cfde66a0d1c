import { execFile, spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AccessFeed } from "../support/access-feed.ts";
import { objectChange, refOf } from "../support/drafts.ts";
import { skippedBecause } from "../support/skipped.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const TOKEN = "static-token-of-the-runtimes-01";
const COUNT = 20;

const RUNTIMES = [
  { name: "Node", program: process.execPath, args: [] },
  { name: "Bun", program: process.env["TEST_BUN"] ?? "bun", args: [] },
  { name: "Deno", program: process.env["TEST_DENO"] ?? "deno", args: ["run", "--allow-all"] },
].map((runtime) => {
  const { error, status } = spawnSync(runtime.program, ["--version"], { stdio: "ignore" });
  const lacks =
    error === undefined && status === 0
      ? undefined
      : `no ${runtime.program}: npm install --global ${runtime.program}, or name one in TEST_${runtime.name.toUpperCase()}`;
  return [runtime.name + skippedBecause(lacks), { ...runtime, lacks }] as const;
});

/** A project that has the client as it is packed, and what it depends on. */
let project: string;
let access: AccessFeed;
let url: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "ncf-runtimes-"));
  const installed = join(project, "node_modules/nomad-changefeed-client");
  await mkdir(installed, { recursive: true });
  await run(join(ROOT, "node_modules/.bin/tsc"), [
    "-p",
    join(ROOT, "packages/client/tsconfig.build.json"),
    "--outDir",
    join(installed, "dist"),
  ]);
  await copyFile(join(ROOT, "packages/client/package.json"), join(installed, "package.json"));
  await symlink(join(ROOT, "node_modules/ws"), join(project, "node_modules/ws"));
  await copyFile(join(ROOT, "test/support/runtime-client.mjs"), join(project, "program.mjs"));
  const manifest = { type: "module", dependencies: { "nomad-changefeed-client": "*" } };
  await writeFile(join(project, "package.json"), JSON.stringify(manifest));
  access = await AccessFeed.open();
  access.writeTokens([{ name: "ops", token: TOKEN, namespaces: ["*"], resources: ["*"] }]);
  ({ url } = await access.serve({}));
  for (let at = 0; at < COUNT; at += 1)
    await access.feed.commitObjects(
      objectChange(refOf("jobs", `job-${at}`), String(at + 1), { id: `e${at}` }),
    );
});
afterAll(async () => {
  await access[Symbol.asyncDispose]();
  await rm(project, { recursive: true });
});

describe.each(RUNTIMES)("in %s", (_name, { name, program, args, lacks }) => {
  it.skipIf(lacks !== undefined)(
    "the client follows, reads, keeps a state, acks and is refused",
    async () => {
      const given = [...args, "program.mjs", url, TOKEN, String(COUNT), name];
      const { stdout } = await run(program, given, { cwd: project, timeout: 60_000 });
      expect(JSON.parse(stdout)).toEqual({
        sequences: Array.from({ length: COUNT }, (_, at) => at + 1),
        page: 3,
        jobs: COUNT,
        acked: expect.stringMatching(/-1$/) as string,
        refused: "UNAUTHORIZED",
      });
    },
  );
});
