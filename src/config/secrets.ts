import { readFileSync } from "node:fs";
import { ChangefeedError } from "../schemas/errors.ts";

/** What stands behind `env:NAME` or `file:PATH`, read anew each time. @throws SecretUnavailable */
export type SecretReader = (reference: string) => string;

class SecretUnavailable extends ChangefeedError {
  readonly code = "SECRET_UNAVAILABLE";
}

export function secretReader(env: Readonly<Record<string, string | undefined>>): SecretReader {
  return (reference) => {
    const name = reference.slice(reference.indexOf(":") + 1);
    return reference.startsWith("env:") ? fromVariable(name, env) : readTextFile(name);
  };
}

function fromVariable(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const value = env[name]?.trim() ?? "";
  if (value === "") throw new SecretUnavailable(`the variable ${name} is not set`);
  return value;
}

/** Without blanks and line breaks around it. */
function readTextFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SecretUnavailable(`the file ${path} cannot be read${code === undefined ? "" : ` (${code})`}`);
  }
  if (text === "") throw new SecretUnavailable(`the file ${path} is empty`);
  return text;
}
