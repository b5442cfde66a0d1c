import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { runCli } from "../support/cli.ts";

const NARROW = { isTTY: true, stderrIsTTY: true, columns: () => 40 };

it("wraps errors and hints between words, below the text", async () => {
  const args = ["run", "--config", "not-there.yaml"];
  const whole = (await runCli(args)).stderr;
  const lines = stripVTControlCharacters((await runCli(args, NARROW)).stderr).split("\n");
  expect(lines.filter((line) => line.length > 40)).toEqual([]);
  expect(lines.map((line) => line.trim()).join(" ")).toBe(whole.replaceAll("\n", " "));
  expect(lines[1]).toMatch(/^ {7}\S/);
});

it("leaves an expression and the mark below its mistake as they are", async () => {
  const filter = `ClientStatus = "failed" and JobID == "a-job-with-a-long-name"`;
  const args = ["tail", "--filter", filter];
  const lines = stripVTControlCharacters((await runCli(args, NARROW)).stderr).split("\n");
  expect(lines).toContain('error:   ClientStatus = "failed" and JobID == "a-job…');
  expect(lines).toContain("error:                ^");
});

it("wraps what doctor finds, and what to do, below the text", async () => {
  const args = ["doctor", "--nomad-addr", "http://127.0.0.1:1", "--feed", "sqlite:/not/there/feed.db"];
  const lines = stripVTControlCharacters((await runCli(args, NARROW)).stdout).split("\n");
  expect(lines[0]).toMatch(/^✗ nomad: /);
  expect(lines[1]).toMatch(/^ {2}\S/);
  expect(lines.find((line) => line.includes("→"))).toMatch(/^ {4}→ \S/);
  // Only a word that is longer than a line is.
  expect(lines.filter((line) => line.length > 40 && line.trim().includes(" "))).toEqual([]);
});
