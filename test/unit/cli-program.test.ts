import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";

const COMMANDS = ["run", "doctor", "config", "tail", "history", "wait", "demo", "simulate", "schema"];

describe("help", () => {
  it("of the program lists the commands", async () => {
    const { code, stdout } = await runCli(["--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  it.each(COMMANDS)("of %s", async (command) => {
    const { code, stdout } = await runCli([command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  it("is as wide as the terminal", async () => {
    const { stdout } = await runCli(["run", "--help"], { columns: () => 80 });
    // A default without a blank cannot be broken.
    const tooLong = stdout.split("\n").filter((line) => line.length > 80 && line.trim().includes(" "));
    expect(tooLong).toEqual([]);
  });

  it("comes with an error where no command is given", async () => {
    const { code, stderr } = await runCli([]);
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: nomad-changefeed");
  });
});

it("prints the package's version", async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
    version: string;
  };
  expect(await runCli(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
});

describe("wrong usage", () => {
  it.each([
    [["tial"], "Did you mean tail?"],
    [["tail", "--min-severty", "WARN"], "Did you mean --min-severity?"],
    [["config", "--wiat", "5s"], "Did you mean --wait?"],
    [["tail", "surplus"], "too many arguments"],
    [["simulate", "--seed", "x"], "whole number"],
    [["simulate", "--faults", "resett:1"], "reset"],
    [["simulate", "--listen", "here"], "host:port"],
    [["demo", "--for", "20"], "such as 500ms, 60s"],
    [["demo", "--feed", "redis:x"], "sqlite:"],
    [["tail", "--min-severity", "wran"], "Did you mean WARN?"],
    [["tail", "--types", "alocations"], "Did you mean allocations?"],
    [["tail", "--url", "localhost:4650"], "http://127.0.0.1:4650"],
    [["tail", "--since", "yesterday"], "RFC 3339"],
    [["history", "jobb/web"], "did you mean job?"],
    [["history", "job"], "job/<id>"],
    [["history", "web"], "job/web or node/web"],
    [["history", "--signal", "allocation.faild"], "did you mean allocation.failed?"],
    [["history", "--limit", "0"], "a whole number from 1"],
    [["schema", "changes"], "change"],
    [["run", "--listen", "0.0.0.0:1"], "--insecure-no-auth"],
    [["doctor", "--nomad-client-key", "a.pem"], "--nomad-client-cert"],
  ])("%j exits 2 and says what is allowed", async (args, said) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
  });
});

describe("config", () => {
  const env = {
    NOMAD_TOKEN: "hunter2",
    NCF_WAIT: "20s",
    NCF_LISTNE: "x",
    NOMAD_ADDR: "http://me:hunter2@nomad:4646",
  };

  it("prints every value and its origin, and no secret", async () => {
    const { code, stdout, stderr } = await runCli(["config", "--baseline", "events"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}nomad-token +\[redacted\] +\(environment NOMAD_TOKEN\)$/m);
    expect(stdout).toMatch(/^ {2}wait +20s +\(environment NCF_WAIT\)$/m);
    expect(stdout).toMatch(/^ {2}baseline +events +\(flag --baseline\)$/m);
    expect(stdout).toMatch(/^ {2}max-event-bytes +64KiB +\(default\)$/m);
    expect(stdout).not.toContain("hunter2");
    expect(stderr).toBe(
      "warning: the variable NCF_LISTNE is not an option and is ignored; did you mean NCF_LISTEN?\n",
    );
  });

  it("prints the same as JSON", async () => {
    const { stdout } = await runCli(["config", "--json", "--resources", "jobs", "--resources", "nodes"], {
      env,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      "nomad-token": { value: "[redacted]", origin: "environment NOMAD_TOKEN" },
      "nomad-addr": { value: "http://[redacted]@nomad:4646" },
      resources: { value: "jobs,nodes", origin: "flag --resources" },
      "nomad-region": { value: null, origin: "default" },
    });
    expect(stdout).not.toContain("hunter2");
  });

  it("prints the file's JSON Schema", async () => {
    const { stdout } = await runCli(["config", "--schema"]);
    expect(JSON.parse(stdout)).toMatchObject({ properties: { wait: { type: "string", default: "50s" } } });
  });
});

it("colours for people only", async () => {
  const escape = "\u001B[";
  expect((await runCli(["config"], { isTTY: true })).stdout).toContain(escape);
  expect((await runCli(["config"], { isTTY: true, env: { NO_COLOR: "1" } })).stdout).not.toContain(escape);
  expect((await runCli(["config"])).stdout).not.toContain(escape);
});
