import { OUTCOMES } from "../../publishers/connection/outcomes.ts";
import { wireSchema } from "./schemas.ts";

export function inPath(name: string, schema: object): object {
  return { name, in: "path", required: true, schema };
}

export function answer(description: string, schemas: object, headers: readonly string[] = []): object {
  const content = Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { schema }]));
  const named = headers.map((name) => [name, { schema: { type: "string" } }]);
  return { description, content, ...(headers.length > 0 && { headers: Object.fromEntries(named) }) };
}

/** Answers with these statuses, each with the codes that have it. */
export function refusals(...statuses: number[]): object {
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = [...OUTCOMES].flatMap(([code, outcome]) => (outcome.status === status ? [code] : []));
      const description = codes.length === 0 ? "Reserved" : codes.join(", ");
      return [status, answer(description, { "application/problem+json": wireSchema("problem") })];
    }),
  );
}
