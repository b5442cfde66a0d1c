import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { buildConsole } from "../../scripts/build-console.ts";
import { execForm } from "../support/container-files.ts";
import { own } from "../support/own-processes.ts";
import { freePort } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");

/** Compose as a plugin of docker, or by itself; a text where there is none: why. */
async function findCompose(): Promise<string[] | string> {
  for (const command of [["docker", "compose"], ["docker-compose"]]) {
    const [program = "", ...args] = command;
    const answers = await run(program, [...args, "version"]).then(
      () => true,
      () => false,
    );
    if (answers) return command;
  }
  return "neither `docker compose` nor docker-compose answers here: install Docker";
}

const compose = await findCompose();
const missing = skippedBecause(typeof compose === "string" ? compose : undefined);

test.skipIf(typeof compose === "string")(`docker-compose.yml is valid${missing}`, async () => {
  const [program = "", ...args] = compose;
  const { stdout, stderr } = await run(program, [...args, "config", "--format", "json"], { cwd: ROOT });
  expect(stderr).toBe("");
  const { services } = JSON.parse(stdout) as { services: Record<string, unknown> };
  expect(Object.keys(services).toSorted()).toEqual(["bridge-1", "bridge-2", "nomad", "redis"]);
});

describe("what the Dockerfile builds", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-image-"));
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    await run(tsc, ["-p", "tsconfig.build.json", "--outDir", join(directory, "dist")], { cwd: ROOT });
    await copyFile(join(ROOT, "package.json"), join(directory, "package.json"));
    await cp(await buildConsole(), join(directory, "console/dist"), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  /** An exec form of the Dockerfile as it would be run, with this Node and in this directory. */
  const here = (command: readonly string[]) =>
    command.slice(1).map((argument) => argument.replace(/^\/app\//, `${directory}/`));

  test("is healthy for the image's own check while it serves, and ends in order on SIGTERM", async () => {
    const simulator = createSimulator({ seed: 1, allocations: 5 });
    const env = {
      PATH: process.env["PATH"],
      NOMAD_ADDR: await simulator.listen(),
      NCF_CLUSTER: "test",
      NCF_LISTEN: `127.0.0.1:${await freePort()}`,
    };
    const healthy = () =>
      run(process.execPath, here(execForm("HEALTHCHECK")), { env }).then(
        () => true,
        () => false,
      );
    expect(await healthy()).toBe(false);
    const bridge = own(
      spawn(process.execPath, here([...execForm("ENTRYPOINT"), ...execForm("CMD")]), {
        cwd: directory,
        env,
        stdio: ["ignore", "ignore", "pipe"],
      }),
      "bridge",
    );
    let written = "";
    bridge.stderr.setEncoding("utf8").on("data", (text: string) => (written += text));
    const exited = once(bridge, "exit");
    try {
      await until("the check succeeds", healthy);
      // Alive before Nomad answered: who listened until then may just be closing its connections.
      await until("browsers get the page", async () => {
        const page = fetch(`http://${env.NCF_LISTEN}/`, { headers: { accept: "text/html" } });
        const text = await page.then((answer) => answer.text()).catch(() => "");
        return text.includes('<div id="app">');
      });
    } finally {
      bridge.kill("SIGTERM");
      await exited;
      await simulator.close();
    }
    expect(bridge.exitCode).toBe(0);
    expect(written).not.toContain("ExperimentalWarning");
    expect(await healthy()).toBe(false);
  });

  test("tells its version", async () => {
    const { stdout } = await run(process.execPath, here([...execForm("ENTRYPOINT"), "--version"]));
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
