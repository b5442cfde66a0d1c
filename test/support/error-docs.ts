import { ERROR_CODES, errorFacts } from "../../src/schemas/error-codes.ts";

const INTRODUCTION = `# Error codes

Every error has a stable code: in log lines, in HTTP answers, in error frames and on the command line. The
message says what happened, the hint what to do. "Retry" says whether the same thing may succeed later without
anybody changing anything. A code with an HTTP status is what clients are told; [PROTOCOL.md](../PROTOCOL.md) says what
to do about it. A command that fails ends with exit code 1, or with the one named here.

This page is made from the sources: \`npx vitest run --project unit test/unit/error-docs.test.ts -u\`.
`;

/** docs/errors.md, from the table of codes. */
export function errorDocs(): string {
  const codes = Object.keys(ERROR_CODES).toSorted((a, b) => (a < b ? -1 : 1));
  return `${INTRODUCTION}\n${codes.map(sectionOf).join("\n")}`;
}

function sectionOf(code: string): string {
  const { status, closeCode, exit, retryable, means } = errorFacts(code) ?? { means: "" };
  const retry = { yes: retryable === true, no: retryable === undefined, "depends on the cause": true };
  const facts = [
    `Retry: ${Object.entries(retry).find(([, holds]) => holds)?.[0]}.`,
    ...(status === undefined ? [] : [`HTTP ${status}, close code ${closeCode}.`]),
    ...(exit === undefined ? [] : [`Exit code ${exit}.`]),
  ];
  return `## ${code}\n\n${means}\n\n${facts.join(" ")}\n`;
}
