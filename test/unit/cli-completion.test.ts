import type { Command } from "commander";
import { expect, it } from "vitest";
import { placesOf } from "../../src/commands/completion/places.ts";
import { ARGUMENT_OFFERS, FLAG_OFFERS } from "../../src/commands/completion/values.ts";
import { builtProgram } from "../support/cli.ts";

const program = builtProgram();
const all = (command: Command, words: string[] = []): { command: Command; path: string }[] => [
  { command, path: words.join(" ") },
  ...command.commands.flatMap((each) => all(each, [...words, each.name()])),
];

it("has no values for flags and arguments that are gone", () => {
  const flags = new Set(all(program).flatMap(({ command }) => command.options.map((each) => each.flags)));
  expect([...FLAG_OFFERS.keys()].filter((flag) => !flags.has(flag))).toEqual([]);
  const taken = all(program).flatMap(({ command, path }) =>
    command.registeredArguments.map((argument) => `${path} ${argument.name()}`),
  );
  expect([...ARGUMENT_OFFERS.keys()].filter((argument) => !taken.includes(argument))).toEqual([]);
});

it("knows of each flag whether a value follows, whatever the command", () => {
  const kinds = Map.groupBy(
    placesOf(program).flatMap(({ flags }) => flags),
    ({ name }) => name,
  );
  const both = [...kinds].filter(
    ([, flags]) => new Set(flags.map(({ value }) => value === undefined)).size > 1,
  );
  expect(kinds.size).toBeGreaterThan(80);
  expect(both.map(([name]) => name)).toEqual([]);
});

it("knows the names for each choice among the options of the feed", () => {
  const flags = placesOf(program).find(({ path }) => path === "run")?.flags ?? [];
  const chosen = flags.filter(({ value }) => typeof value === "object" && value.names.length > 0);
  const written = flags.filter(({ name }) =>
    ["--reading", "--auth", "--resources", "--log-level"].includes(name),
  );
  expect(written).toHaveLength(4);
  expect(chosen).toEqual(expect.arrayContaining(written));
});
