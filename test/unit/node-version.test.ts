import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { whyTooOld } from "../../src/node-version.ts";

const ROOT = join(import.meta.dirname, "../..");

it("allows the versions that package.json allows", () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const oldest = engines.node.replace(">=", "");
  expect(whyTooOld(`${oldest}.0.0`)).toBeUndefined();
  expect(whyTooOld("100.1.2")).toBeUndefined();
  expect(whyTooOld("22.20.0")).toContain(`needs Node ${oldest} or newer; this is Node 22.20.0`);
});

it("an older Node is told so before it meets what it does not have", () => {
  // As on a Node without node:sqlite: it calls itself older, and has none.
  const pretend = `import { register } from "node:module";
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });
    register("data:text/javascript," + encodeURIComponent(
      'export const resolve = (name, context, next) => { if (name === "node:sqlite") throw new Error("no " + name); return next(name, context); };'
    ));`;
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`;
  const args = ["--disable-warning=ExperimentalWarning", "--import", preload, join(ROOT, "src/main.ts")];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, "--version"], {
    encoding: "utf8",
  });
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^nomad-changefeed needs Node 24 or newer; this is Node 20\.20\.2: .*\n$/);
});
