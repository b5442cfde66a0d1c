import type { Row } from "../store/row.ts";

type Test = (row: Row) => boolean;

const COMPARISON = /^(\w+) (==|!=) ("(?:[^"\\]|\\.)*")$/;

/**
 * What a list's filter lets pass. Of Nomad's language it knows texts that are equal or not, joined by `and`: undefined
 * for anything else, which Nomad may well understand.
 */
export function parseFilter(expression: string): Test | undefined {
  if (expression === "") return () => true;
  const tests: Test[] = [];
  for (const part of expression.split(" and ")) {
    const [, field, operator, value] = COMPARISON.exec(part) ?? [];
    if (field === undefined || value === undefined) return undefined;
    const wanted: unknown = JSON.parse(value);
    tests.push((row) => (fieldOf(row, field) === wanted) === (operator === "=="));
  }
  return (row) => tests.every((test) => test(row));
}

function fieldOf(row: Row, field: string): unknown {
  return new Map<string, unknown>(Object.entries(row.stub)).get(field);
}
