import { configFileSchema } from "../config/json-schema.ts";
import {
  OPTION_GROUPS,
  OPTION_NAMES,
  optionKey,
  OPTIONS,
  type OptionDefinition,
  type OptionName,
} from "../config/options.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { ResolvedOne } from "../config/resolve-one.ts";
import { shownRoutes, shownSettings } from "../config/shown.ts";
import type { Given } from "../config/sources.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import { coloursFor, stderrColoursFor } from "./support/colours.ts";

const FIELD_WIDTH = 20;

/**
 * Prints every option, its value and where the value came from, and every destination. Secrets print as "[redacted]",
 * or as the reference to them.
 */
export function printConfig(options: { given: Given; json: boolean }, io: Io): void {
  const resolved = resolveConfig(options.given);
  const { feeds } = resolved;
  if (options.json) {
    const whole =
      feeds === undefined
        ? asJson(resolved)
        : { feeds: Object.fromEntries(feeds.map((feed) => [feed.name, asJson(feed)])) };
    io.stdout.write(`${terminalJson(JSON.stringify(whole, null, 2))}\n`);
    return;
  }
  if (feeds === undefined) printOne(resolved, io);
  for (const feed of feeds ?? []) {
    io.stdout.write(`${coloursFor(io).bold(`Feed ${feed.name}`)}\n`);
    printOne(feed, io);
  }
  const warn = stderrColoursFor(io).yellow("warning:");
  for (const warning of resolved.warnings) io.stderr.write(`${warn} ${plainText(warning)}\n`);
}

function asJson(resolved: ResolvedOne) {
  const shown = OPTION_NAMES.map((name) => [
    optionKey(name),
    { value: printed(name, resolved) ?? null, origin: resolved.origins[name].text },
  ]);
  return {
    ...Object.fromEntries(shown),
    destinations: destinationsOf(resolved),
    redaction: rulesOf(resolved),
    routes: routesOf(resolved),
  };
}

function printOne(resolved: ResolvedOne, io: Io): void {
  const colours = coloursFor(io);
  const nameWidth = Math.max(...OPTION_NAMES.map((name) => optionKey(name).length)) + 2;
  for (const group of OPTION_GROUPS) {
    io.stdout.write(`${colours.bold(group)}\n`);
    for (const name of OPTION_NAMES.filter((candidate) => OPTIONS[candidate].group === group)) {
      const value = plainText(printed(name, resolved) ?? "-");
      const origin = plainText(resolved.origins[name].text);
      io.stdout.write(
        `  ${optionKey(name).padEnd(nameWidth)}${value.padEnd(32)} ${colours.dim(`(${origin})`)}\n`,
      );
    }
  }
  printDestinations(resolved, io);
  printRules(resolved, io);
  printRoutes(resolved, io);
}

function printDestinations(resolved: ResolvedOne, io: Io): void {
  const colours = coloursFor(io);
  const destinations = destinationsOf(resolved);
  if (destinations.length > 0) io.stdout.write(`${colours.bold("Destinations")}\n`);
  for (const { name, origin, settings } of destinations) {
    io.stdout.write(`  ${plainText(name)} ${colours.dim(`(${plainText(origin)})`)}\n`);
    for (const [field, text] of Object.entries(settings)) {
      io.stdout.write(`    ${field.padEnd(FIELD_WIDTH)}${plainText(text)}\n`);
    }
  }
}

function printRules(resolved: ResolvedOne, io: Io): void {
  const rules = rulesOf(resolved);
  if (rules.length > 0) io.stdout.write(`${coloursFor(io).bold("Redaction")}\n`);
  for (const rule of rules) {
    const parts = Object.entries(rule).map(([name, value]) => `${name}: ${String(value)}`);
    io.stdout.write(`  ${plainText(parts.join("; "))}\n`);
  }
}

function printRoutes(resolved: ResolvedOne, io: Io): void {
  const routes = routesOf(resolved);
  if (routes.length > 0) io.stdout.write(`${coloursFor(io).bold("Routes")}\n`);
  for (const { id, settings } of routes) {
    const parts = Object.entries(settings).map(([name, value]) => `${name}: ${value}`);
    io.stdout.write(`  ${id.padEnd(FIELD_WIDTH / 2)}${plainText(parts.join("; "))}\n`);
  }
}

function routesOf({ config }: ResolvedOne) {
  return shownRoutes(config.routes).map(({ id, settings }) => ({
    id,
    settings: Object.fromEntries(settings),
  }));
}

/** A pattern may be what it hides: their number is shown. */
function rulesOf({ config }: ResolvedOne) {
  return config.redaction.map(({ patterns, ...rule }) => ({
    ...rule,
    ...(patterns && { patterns: `${patterns.length} (not shown)` }),
  }));
}

function destinationsOf({ config, sections }: ResolvedOne) {
  const file = sections.get("destinations")?.file;
  return [...config.destinations, ...config.alertDestinations].map((destination) => ({
    name: destination.name,
    origin: `file ${file}:${destination.line}`,
    settings: Object.fromEntries(shownSettings(destination)),
  }));
}

/** Prints the JSON Schema of the configuration file. */
export function printConfigSchema(io: Io): void {
  io.stdout.write(`${JSON.stringify(configFileSchema(), null, 2)}\n`);
}

function printed(name: OptionName, { values }: ResolvedOne): string | undefined {
  const definition: OptionDefinition = OPTIONS[name];
  const value = values[name];
  if (value === undefined) return undefined;
  return definition.secret === true ? "[redacted]" : definition.type.print(value);
}
