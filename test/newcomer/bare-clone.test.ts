import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DOCUMENT_NAMES, SCHEMA_NAMES } from "../../src/schemas/json-schema.ts";
import { programMissing } from "../support/deploy-files.ts";
import { blocksIn, ROOT } from "../support/pages/pages.ts";
import { typed, type Place } from "../support/pages/typed.ts";
import { freePort } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

/** What README.md has typed first. */
const [demo = ""] = blocksIn("README.md", "indented")
  .flatMap(({ text }) => text.split("\n"))
  .filter((line) => line.startsWith("scripts/demo"));
const look = blocksIn("README.md", "indented").find(({ text }) => text.includes("start -- state"));
const missing = programMissing("git", "Debian: apt-get install git");

/** Only what hangs meets this: npm brings some 300 packages. */
const INSTALLS_WITHIN_MS = 600_000;

/** Ends what was typed when it is disposed of. */
class Stop extends AbortController implements Disposable {
  [Symbol.dispose](): void {
    this.abort();
  }
}

let empty: string;
let clone: Place;
beforeAll(async () => {
  empty = await mkdtemp(join(tmpdir(), "ncf-newcomer-"));
  // Nothing of this checkout is on the way to a program: neither its Node nor what npm says of it.
  const path = (process.env["PATH"] ?? "").split(":").filter((each) => !each.startsWith(ROOT));
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|NODE_ENV$|VITEST)/.test(name)),
  );
  clone = { cwd: join(empty, "nomad-changefeed"), env: { ...env, PATH: path.join(":"), NO_COLOR: "1" } };
});
afterAll(() => rm(empty, { recursive: true, force: true }));

/** Types a line that has to succeed; answers what it prints. */
async function done(line: string, place: Place = clone): Promise<string> {
  const { stdout, stderr, code } = await typed(line, place);
  expect({ line, code, said: code === 0 ? "" : stdout + stderr }).toEqual({ line, code: 0, said: "" });
  return stdout;
}

describe.skipIf(missing !== undefined)(`a clone in an empty folder${skippedBecause(missing)}`, () => {
  it("shows the demo at once, answers what the README asks of it, and loses nothing", async () => {
    await done(`git clone --quiet ${ROOT} nomad-changefeed`, { ...clone, cwd: empty });
    expect(await readdir(clone.cwd)).not.toContain("node_modules");
    const line = demo.replace(/ +#.*/, "");
    expect(line).toBe("scripts/demo");
    const port = await freePort();
    using stop = new Stop();
    const running = typed(`${line} --for 20s --listen 127.0.0.1:${port}`, clone, { signal: stop.signal });
    const url = `http://127.0.0.1:${port}`;
    const serves = async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok;
    await until("the demo serves", serves, INSTALLS_WITHIN_MS);
    const lines = (look?.text ?? "")
      .trim()
      .split("\n")
      .map((each) => each.replace(/ +# .*/, ""));
    const answers = [];
    for (const each of lines)
      answers.push(
        await done(each.replace("--at 1m", "--at 1s").replace(/ (state|why) /, `$& --url ${url} `)),
      );
    expect(answers).toEqual([expect.stringMatching(/^node\//), expect.stringMatching(/^job web-3 /)]);
    const { stdout, stderr, code } = await running;
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^\S+Z (INFO|WARN|ERROR) /m);
    expect(stdout + stderr).toMatch(/Demo over: \d+ changes in 20 s, \d+ events in the log, 0 lost/);
  });

  it("makes a package that installs into an empty folder, with schemas that the events of its feed match", async () => {
    const [tarball = ""] = (await done("npm pack --silent")).trim().split("\n").slice(-1);
    const cwd = join(empty, "project");
    await mkdir(cwd);
    await writeFile(join(cwd, "package.json"), '{ "private": true, "type": "module" }');
    await done(`npm install --silent --no-audit --no-fund ${join(clone.cwd, tarball)}`, { ...clone, cwd });
    // The Node that the clone has brought; a reader has 24 of his own.
    const node = join(clone.cwd, "node_modules/node/bin");
    const place = { cwd, env: { ...clone.env, PATH: `${node}:${clone.env["PATH"]}` } };
    const installed = join(cwd, "node_modules/nomad-changefeed");
    const names = [...SCHEMA_NAMES, ...DOCUMENT_NAMES].map((name) => `${name}.json`);
    expect((await readdir(join(installed, "schemas"))).toSorted()).toEqual(names.toSorted());
    const ids = names
      .map((name) => `import("nomad-changefeed/schemas/${name}", { with: { type: "json" } })`)
      .join(",");
    const imported = `const all = await Promise.all([${ids}]); console.log(all.map((one) => Object.keys(one.default)[0]).join())`;
    expect(await done(`node --input-type=module -e '${imported}'`, place)).toMatch(
      /^\$schema,.*openapi,asyncapi,\$schema\n$/,
    );
    expect(await done("npx nomad-changefeed schema change", place)).toBe(
      readFileSync(join(installed, "schemas/change.json"), "utf8"),
    );
    expect(await done("npx nomad-changefeed --version", place)).toMatch(/^\d+\.\d+\.\d+\n$/);

    const demonstrated = await done(
      "npx nomad-changefeed demo --for 10s --listen 127.0.0.1:0 --feed sqlite:./demo.db && npx nomad-changefeed history --feed sqlite:./demo.db --json --limit 500",
      place,
    );
    const events = demonstrated
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as object);
    const [isChange, isControl] = ["change", "control"].map((name) =>
      new Ajv2020({ strict: false, validateFormats: false }).compile(
        JSON.parse(readFileSync(join(installed, `schemas/${name}.json`), "utf8")) as object,
      ),
    );
    expect(events.length).toBeGreaterThan(20);
    expect(events.filter((event) => isChange?.(event) !== true && isControl?.(event) !== true)).toEqual([]);
    expect(events.filter((event) => isControl?.(event) === true).length).toBeGreaterThan(0);
  });
});
