import type { NomadErrorCode } from "../../src/nomad/errors.ts";
import { sourceFiles } from "./sources.ts";

interface ErrorClass {
  readonly name: string;
  readonly module: string;
  /** Undefined where one class has several codes. */
  readonly code: string | undefined;
  readonly retryable: string | undefined;
  readonly says: string;
}

const CLASS = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport class (\w+) extends ChangefeedError \{([\s\S]*?)\n\}/g;

/** What the codes of NomadError mean; the other classes have one code each and say it in their docblock. */
const NOMAD_CODES: Readonly<Record<NomadErrorCode, string>> = {
  NOMAD_UNREACHABLE: "No connection to the agent: refused, reset, no route, no such host.",
  NOMAD_TIMEOUT: "The agent did not answer, or not to the end, in the time it may take.",
  NOMAD_TLS: "The certificate, ours or the agent's, was not accepted, or one side speaks no TLS.",
  NOMAD_BAD_REQUEST: "Nomad does not understand the request (400).",
  NOMAD_UNAUTHORIZED: "Nomad, or a proxy before it, does not know the token or the credentials.",
  NOMAD_FORBIDDEN: "The token lacks the capability (403). The hint names it.",
  NOMAD_TOKEN_EXPIRED: "The token's time is over.",
  NOMAD_NOT_FOUND: "There is no such object, or this version of Nomad has no such endpoint (404).",
  NOMAD_METHOD_NOT_ALLOWED: "Something between us and Nomad changed the request (405).",
  NOMAD_RATE_LIMITED: "A proxy before Nomad limits requests (429).",
  NOMAD_TOO_MANY_CONNECTIONS: "Nomad's limit of connections from one address is used up (429).",
  NOMAD_NO_LEADER: "The region has no leader at the moment, or the agent no servers.",
  NOMAD_NO_REGION: "The agent knows no server in the region.",
  NOMAD_SERVER_ERROR: "The agent, its servers or a proxy failed (5xx).",
  NOMAD_ENTERPRISE_ONLY: "Nomad Community does not have this (501).",
  NOMAD_UNEXPECTED_STATUS: "An answer Nomad never gives: most likely another service has this address.",
  NOMAD_BAD_RESPONSE: "The body or a header is not what Nomad sends: broken off, no JSON, no index.",
  NOMAD_STALE_RESPONSE: "The answering server was out of touch with the leader longer than allowed.",
};

/** docs/errors.md, from the docblocks of the error classes. */
export function errorDocs(): string {
  const entries = errorClasses().flatMap(entriesOf);
  const sections = entries.toSorted((a, b) => (a.code < b.code ? -1 : 1)).map(sectionOf);
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

const INTRODUCTION = `# Error codes

Every error has a stable code: in log lines, in HTTP answers, in error frames and on the command line. The
message says what happened, the hint what to do. "Retry" says whether the same thing may succeed later without
anybody changing anything.

This page is made from the sources: \`npx vitest run --project unit test/unit/error-docs.test.ts -u\`.
`;

interface Entry {
  readonly code: string;
  readonly says: string;
  readonly retryable: string;
  readonly module: string;
}

function entriesOf({ name, code, module, says, retryable = "depends on the cause" }: ErrorClass): Entry[] {
  if (name !== "NomadError") return [{ code: code ?? name, says, retryable, module }];
  return Object.entries(NOMAD_CODES).map(([nomadCode, meaning]) => ({
    code: nomadCode,
    says: meaning,
    retryable,
    module,
  }));
}

function sectionOf({ code, says, retryable, module }: Entry): string {
  return `## ${code}\n\n${says}\n\nRetry: ${retryable}. Raised in \`${module}\`.\n`;
}

export function errorClasses(): ErrorClass[] {
  return sourceFiles().flatMap(({ module, text }) => {
    return [...text.matchAll(CLASS)].map(([, comment = "", name = "", body = ""]) => ({
      name,
      module,
      code: /readonly code = "(\w+)"/.exec(body)?.[1],
      retryable: { true: "yes", false: "no" }[/readonly retryable = (true|false)/.exec(body)?.[1] ?? ""],
      says: comment
        .replaceAll(/\s*\n\s*\*\s?/g, " ")
        .replace(/^\*/, "")
        .replace("@internal", "")
        .trim(),
    }));
  });
}
