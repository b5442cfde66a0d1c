import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { own } from "../support/own-processes.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "src/main.ts");
const children: ChildProcessByStdio<null, Readable, Readable>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** The program as a process of its own, with what it wrote so far. */
function start(...args: string[]) {
  return startWith([], ...args);
}

/** The same, with flags of Node's. */
function startWith(flags: string[], ...args: string[]) {
  const child = own(
    spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...flags, MAIN, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    }),
    "program",
  );
  children.push(child);
  const written = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (written.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (written.stderr += text));
  return { child, written, exit: once(child, "exit") };
}

describe("the process", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("ends in order at %s", async (signal) => {
    const { child, written, exit } = start("simulate", "--listen", "127.0.0.1:0");
    await until("the simulator", () => written.stdout.includes("listens on"));
    child.kill(signal);
    expect(await exit).toEqual([0, null]);
    expect(written.stderr).toBe("");
  });

  it.each(["io", "run"])(
    "is not ended by SIGHUP while it loads %s, and has a file to read",
    async (module) => {
      const directory = await mkdtemp(join(tmpdir(), "ncf-cli-process-"));
      const config = join(directory, "changefeed.yaml");
      await writeFile(config, "cluster: prod\nnomad-addr: http://127.0.0.1:1\nlisten: 127.0.0.1:0\n");
      const hangUp = `import { registerHooks } from "node:module";
      registerHooks({ load(url, context, next) {
        if (url.endsWith("/commands/${module}.ts")) process.kill(process.pid, "SIGHUP");
        return next(url, context);
      } });`;
      const preload = `data:text/javascript,${encodeURIComponent(hangUp)}`;
      const feed = `sqlite:${join(directory, "feed.db")}`;
      const { child, written, exit } = startWith(
        ["--import", preload],
        "run",
        "--config",
        config,
        "--feed",
        feed,
      );
      await until(
        "it waits for Nomad",
        () => written.stderr !== "" || child.exitCode !== null || child.signalCode !== null,
      );
      child.kill("SIGTERM");
      expect(await exit).toEqual([0, null]);
      expect(written.stderr).toContain("stopped before Nomad answered");
      await rm(directory, { recursive: true });
    },
  );

  it("ends at SIGHUP where it has no file to read again, whatever it runs", async () => {
    const flags = ["--regions", "all", "--listen", "127.0.0.1:0", "--nomad-addr", "http://127.0.0.1:1"];
    const { child, written, exit } = start("run", ...flags);
    await until("it serves", () => written.stderr.includes("serving several feeds"));
    child.kill("SIGHUP");
    expect(await exit).toEqual([0, null]);
  });

  it("ends with npm, which started it", async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      scripts: { start: string };
    };
    // As npm does: a shell, to which the signals go.
    const shell = own(
      spawn("sh", ["-c", `${scripts.start} simulate --listen 127.0.0.1:0`], {
        cwd: ROOT,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` },
      }),
      "shell",
    );
    children.push(shell);
    let said = "";
    shell.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    const url = await until("the simulator", () => /http:\S+/.exec(said)?.[0]);
    shell.kill("SIGTERM");
    expect(await once(shell, "exit")).toEqual([0, null]);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("ends when nobody reads its output any more", async () => {
    const { child, written, exit } = start("demo", "--listen", "127.0.0.1:0", "--changes-per-second", "40");
    await until("an event", () => written.stdout.includes(".updated"));
    child.stdout.destroy();
    expect(await exit).toEqual([0, null]);
  });

  it("exits with the command's code", async () => {
    const { written, exit } = start("tial");
    expect(await exit).toEqual([2, null]);
    expect(written.stderr).toContain("Did you mean tail?");
  });
});
