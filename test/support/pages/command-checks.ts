import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FILTER_LANGUAGE } from "../../../src/commands/support/filter-language.ts";
import { ROUTES } from "../../../src/http/errors.ts";
import {
  parseCountsQuery,
  parseHistoryQuery,
  parseJobVersionsQuery,
  parseStateQuery,
  parseWhyQuery,
} from "../../../src/schemas/read-queries.ts";
import { parseSubscription } from "../../../src/schemas/subscription-schema.ts";
import { builtProgram, runCli } from "../cli.ts";
import { ROOT } from "./pages.ts";
import type { ShellCommand } from "./shell-commands.ts";

/** What stands for options that a reader adds. */
const ELLIPSIS = "…";
/** Commands that take every option of the feed. */
const OF_THE_FEED = ["run", "doctor"];

/** What the program, npm, the server or the checkout would object to; [] where nothing, and of programs not known here. */
export async function problemsOfCommand({ words: all }: ShellCommand): Promise<string[]> {
  const [program = "", ...words] = all.filter((word) => word !== ELLIPSIS);
  if (program === "nomad-changefeed") return problemsOfArguments(words);
  if (program === "npm") return problemsOfNpm(words);
  if (program === "npx") return problemsOfNpx(words);
  if (program === "curl") return problemsOfCurl(words);
  if (program === "scripts/demo") return problemsOfArguments(["demo", ...words]);
  return problemsOfFile(program);
}

async function problemsOfNpm(words: readonly string[]): Promise<string[]> {
  const [verb, ...rest] = words.filter((word) => word !== "--silent");
  if (verb !== "run") return [];
  const [script = "", ...more] = rest;
  const at = more.indexOf("-w");
  const folder = at === -1 ? "." : (more[at + 1] ?? "");
  const { scripts } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  if (scripts[script] === undefined) return [`${folder}/package.json has no script ${script}`];
  return script === "start" ? problemsOfArguments(more.slice(more.indexOf("--") + 1)) : [];
}

async function problemsOfNpx(words: readonly string[]): Promise<string[]> {
  const [program = "", ...rest] = words.filter((word) => word !== "--no-install");
  if (program === "nomad-changefeed") return problemsOfArguments(rest);
  if (program === "wscat") return rest.filter((word) => word.startsWith("ws")).flatMap(problemsOfAddress);
  if (program !== "node") return [];
  const script = rest.find((word) => !word.startsWith("-")) ?? "";
  const missing = problemsOfFile(script);
  if (missing.length > 0) return missing;
  const options = rest.slice(rest.indexOf(script)).filter((word) => word.startsWith("--"));
  const text = readFileSync(join(ROOT, script), "utf8");
  return options
    .map((option) => option.slice(2))
    .filter(
      (name) =>
        !new RegExp(`^\\s*"?${name}"?: \\{ type`, "m").test(text) && !text.includes(`options: { ${name}: {`),
    )
    .map((name) => `${script} has no option --${name}`);
}

function problemsOfFile(program: string): string[] {
  return program.includes("/") && !existsSync(join(ROOT, program)) ? [`there is no ${program}`] : [];
}

/** Of a command line of the program, by its own parser; of options of the feed, by how they are resolved too. */
async function problemsOfArguments(words: readonly string[]): Promise<string[]> {
  const said: string[] = [];
  try {
    await builtProgram((text) => said.push(text)).parseAsync(words, { from: "user" });
  } catch {
    return [`${words.join(" ")}: ${said.join("").trim()}`];
  }
  const [command = "", ...flags] = words;
  if (!OF_THE_FEED.includes(command)) return [];
  const { code, stderr } = await runCli(["config", ...withoutFile(flags)]);
  return code === 0 ? [] : [`${words.join(" ")}: ${stderr.trim()}`];
}

/** The file is the reader's. */
function withoutFile(flags: readonly string[]): string[] {
  return flags.filter((flag, at) => flag !== "--config" && flags[at - 1] !== "--config");
}

function problemsOfCurl(words: readonly string[]): string[] {
  const address = words.find((word) => /^https?:/.test(word));
  if (address === undefined) return ["curl without an address"];
  const url = new URL(address);
  for (const [at, word] of words.entries()) {
    if (word !== "-d" && word !== "--data-urlencode") continue;
    const [, name = "", value = ""] = /^(.*?)=([^]*)$/.exec(words[at + 1] ?? "") ?? [];
    url.searchParams.append(name, value);
  }
  const accept = words.some((word) => /^accept: *(application\/x-ndjson|text\/event-stream)$/i.test(word));
  return problemsOfRequest(url, accept ? "ndjson" : "page");
}

function problemsOfAddress(address: string): string[] {
  return problemsOfRequest(new URL(address), "websocket");
}

type Format = "ndjson" | "page" | "websocket";

const context = { nowMs: Date.parse("2026-11-30T00:00:00Z"), ...FILTER_LANGUAGE };
/** How the server reads what is asked of a path. */
const READERS: Readonly<Record<string, (query: URLSearchParams, format: Format) => unknown>> = {
  "/v1/events": (query, format) => parseSubscription(query, { ...context, format }),
  "/v1/state": (query) => parseStateQuery(query, context),
  "/v1/history": (query) => parseHistoryQuery(query, context),
  "/v1/counts": (query) => parseCountsQuery(query, context),
  "/v1/why": (query) => parseWhyQuery(query, context.nowMs),
  "/v1/job-versions": (query) => parseJobVersionsQuery(query),
};

function problemsOfRequest({ pathname, searchParams, href }: URL, format: Format): string[] {
  const isServed = ROUTES.some((route) => routePattern(route).test(`GET ${pathname}`));
  if (!isServed) return [`${href}: the server has no such path`];
  const read = READERS[pathname];
  if (read === undefined)
    return searchParams.size === 0 ? [] : [`${href}: nothing here reads its parameters`];
  try {
    read(searchParams, format);
    return [];
  } catch (error) {
    return [`${href}: ${(error as Error).message}`];
  }
}

function routePattern(route: string): RegExp {
  return new RegExp(`^${route.replaceAll(/<[^>]*>/g, "[^/]+")}$`);
}
