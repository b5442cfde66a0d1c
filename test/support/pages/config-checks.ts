import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { FILTER_LANGUAGE } from "../../../src/commands/support/filter-language.ts";
import { ConfigInvalid } from "../../../src/config/errors.ts";
import { configFileSchema } from "../../../src/config/json-schema.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { TokensFileInvalid } from "../../../src/http/access/errors.ts";
import { parseTokensFile } from "../../../src/http/access/tokens-file.ts";
import { generateNoteKey } from "../../../src/tlog/note-keys.ts";
import { namingProblems } from "../deploy-files.ts";
import type { Block } from "./pages.ts";

const matchesSchema = new Ajv2020({ strict: false, validateFormats: false }).compile(configFileSchema());

/** What whoever reads such a YAML file would object to; [] where nothing. */
export function problemsOfYaml(block: Block): string[] {
  const { text } = block;
  if (text.startsWith("tokens:")) return problemsOfTokens(block);
  if (text.startsWith("- alert:")) return problemsOfAlert(text);
  return [...problemsOfConfig(text), ...problemsBySchema(text)];
}

function problemsOfTokens({ page, text }: Block): string[] {
  try {
    parseTokensFile(page, text, { worldReadable: false });
    return [];
  } catch (error) {
    if (error instanceof TokensFileInvalid) return [...error.problems];
    throw error;
  }
}

/** A rule for Prometheus. */
function problemsOfAlert(text: string): string[] {
  const rules = parse(text) as { expr: string; for: string }[];
  return rules.flatMap(({ expr }) => namingProblems(expr));
}

/** The configuration file, read as `run` reads it: what it refers to is there, each secret of its kind. */
function problemsOfConfig(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "ncf-pages-"));
  try {
    for (const [name, secret] of Object.entries(SECRETS)) writeFileSync(join(folder, name), secret);
    const file = join(folder, "feed.yaml");
    writeFileSync(
      file,
      withPeople(text)
        .split("\n")
        .map((line) => withOwnFiles(line, folder))
        .join("\n"),
    );
    const env = [...text.matchAll(/(\w+: )?\[?env:(\w+)/g)].map(([line, , name = ""]) => [
      name,
      SECRETS[kindOfSecret(line)],
    ]);
    resolveConfig({ flags: { config: file }, env: Object.fromEntries(env), language: FILTER_LANGUAGE });
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalid)
      return error.problems.map((problem) => problem.replaceAll(`${folder}/`, ""));
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SECRETS = {
  address: "https://hooks.example/ops",
  redis: "redis://redis.example:6379/0",
  key: generateNoteKey("example.com/nomad").privateKey,
  other: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
};

function kindOfSecret(line: string): keyof typeof SECRETS {
  if (line.includes("REDIS")) return "redis";
  if (/\b(url|webhook): /.test(line)) return "address";
  return /\bkey: /.test(line) ? "key" : "other";
}

/** With files that there are in place of those of the page. */
function withOwnFiles(line: string, folder: string): string {
  return line.replaceAll(
    /(?<=file:)[^\s,"\]}]+|\/(?:run|etc)\/[\w./-]+/g,
    () => `${folder}/${kindOfSecret(line)}`,
  );
}

/** Routes name destinations, which an example of routes does not repeat: they come last, so that lines stay what they are. */
function withPeople(text: string): string {
  if (!/^routes:/m.test(text) || /^destinations:/m.test(text)) return text;
  const names = [...text.matchAll(/\bto: (?:\[([\w, -]+)\]|([\w-]+))/g)].flatMap(([, list, one]) =>
    (list ?? one ?? "").split(/, */),
  );
  const people = new Set(names.filter((name) => name !== "none"));
  const entries = [...people].map((name) => `  ${name}: { type: slack, webhook: file:hook }`);
  return `${text}destinations:\n${entries.join("\n")}\n`;
}

/** What an editor says that has the published schema. */
function problemsBySchema(text: string): string[] {
  return matchesSchema(parse(text))
    ? []
    : (matchesSchema.errors ?? []).map(
        ({ instancePath, message }) => `by the JSON Schema of the file: ${instancePath} ${message}`,
      );
}
