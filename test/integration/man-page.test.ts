import { spawnSync } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, it } from "vitest";
import { manPage } from "../../scripts/man-page.ts";
import { builtProgram } from "../support/cli.ts";
import { skippedBecause } from "../support/skipped.ts";

const isMissing = (program: string) => spawnSync(program, ["--version"]).error !== undefined;
const noMandoc = isMissing("mandoc") ? "no mandoc here (Debian: apt-get install mandoc)" : undefined;
const noMan = isMissing("man") ? "no man here (Debian: apt-get install man-db)" : undefined;

const allOf = (command: Command): Command[] => [command, ...command.commands.flatMap(allOf)];

it.skipIf(noMandoc !== undefined)(
  `the man page has no errors, and every command, flag and exit code${skippedBecause(noMandoc)}`,
  async () => {
    await using page = await written();
    const lint = spawnSync("mandoc", ["-T", "lint", "-W", "warning", page.path], { encoding: "utf8" });
    expect(lint.stdout + lint.stderr).toBe("");
    const shown = spawnSync("mandoc", ["-T", "utf8", "-O", "width=200", page.path], { encoding: "utf8" });
    // Bold and underlined letters are struck over.
    const text = shown.stdout.replaceAll(/.[\b]/gu, "");
    const commands = allOf(builtProgram()).slice(1);
    const missing = commands.flatMap((command) => [
      ...(text.includes(`${command.name()} ${command.usage().replace(/\[options\] ?/, "")}`.trim())
        ? []
        : [command.name()]),
      ...command.options.map(({ flags }) => flags).filter((flags) => !text.includes(flags)),
    ]);
    expect(commands.length).toBeGreaterThan(30);
    expect(missing).toEqual([]);
    expect(text).toContain("Exit codes: 0 done, 1 failed, 2 wrong usage");
    expect(text).toContain("NOMAD_ADDR, default http://127.0.0.1:4646");
  },
);

it.skipIf(noMan !== undefined)(`man shows it without a warning${skippedBecause(noMan)}`, async () => {
  await using page = await written();
  const env = { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", MANWIDTH: "80", MANPAGER: "cat" };
  const { stdout, stderr } = spawnSync("man", ["--warnings", "--local-file", page.path], {
    encoding: "utf8",
    env,
  });
  expect(stderr).toBe("");
  expect(stdout).toContain("nomad-changefeed run");
});

async function written() {
  const directory = await mkdtempDisposable(join(tmpdir(), "ncf-man-"));
  const path = join(directory.path, "nomad-changefeed.1");
  await writeFile(path, manPage("2026-01-01"));
  return { path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}
