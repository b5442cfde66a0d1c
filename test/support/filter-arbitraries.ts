import * as fc from "fast-check";
import type { Expression, Selector } from "../../src/filters/expression.ts";

/** Few names and values, so that what is asked for is often there. */
const NAMES = ["A", "B", "Cd", "E_1"] as const;
const MEMBERS = ["a", "b/c", "0", "1", "x y", "ä~1", ""] as const;
const WORDS = [
  "x",
  "xy",
  "true",
  "0",
  "1",
  "9007199254740993",
  "-7",
  "0.5",
  "a",
  "",
  "x y",
  'q"`\\',
  "\n\t\u0000ä😀",
] as const;

const value = fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom(...WORDS), fc.string());

/** JSON texts of values, with integers that no float holds. */
const leafText = fc.oneof(
  fc.constantFrom(...WORDS).map((word) => JSON.stringify(word)),
  fc.constantFrom(
    "null",
    "true",
    "false",
    "0",
    "1",
    "-7",
    "0.5",
    "9007199254740993",
    "9007199254740992",
    "1.0",
  ),
);
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leafText,
    fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
    objectText(fc.constantFrom(...MEMBERS), tie("value")),
  ),
})).value;

function objectText(name: fc.Arbitrary<string>, member: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.dictionary(name, member, { maxKeys: 4 }).map(
    (members) =>
      `{${Object.entries(members)
        .map(([key, text]) => `${JSON.stringify(key)}:${text}`)
        .join(",")}}`,
  );
}

/** Objects of events. */
export const stubText = objectText(fc.constantFrom(...NAMES), jsonText);

const path = fc
  .tuple(fc.constantFrom(...NAMES), fc.array(fc.constantFrom(...MEMBERS), { maxLength: 2 }))
  .map(([root, members]) => [root, ...members]);

/** Expressions over an object, and over names that loops bind; each is exactly what its text is parsed to. */
export function expressionOver(bound: readonly (string | null)[], depth: number): fc.Arbitrary<Expression> {
  const terms = [valueTerm(bound), valueTerm(bound), stateTerm(bound)];
  if (depth === 0) return fc.oneof(...terms);
  const inner = expressionOver(bound, depth - 1);
  const chain = fc.record({
    kind: fc.constantFrom("and" as const, "or" as const),
    operands: fc.array(inner, { minLength: 2, maxLength: 3 }),
  });
  const negation = fc.record({ kind: fc.constant("not" as const), operand: inner });
  return fc.oneof(...terms, chain, negation, loop(bound, depth));
}

function selectorOver(bound: readonly (string | null)[]): fc.Arbitrary<Selector> {
  const ofObject = path.map((names): Selector => ({ path: names }));
  const names = bound.filter((name) => name !== null);
  if (names.length === 0) return ofObject;
  const members = fc.array(fc.constantFrom(...MEMBERS), { maxLength: 1 });
  const ofLoop = fc
    .tuple(fc.constantFrom(...names), members)
    .map(([name, below]): Selector => ({ path: [name, ...below], slot: bound.lastIndexOf(name) }));
  return fc.oneof(ofObject, ofLoop, ofLoop);
}

function valueTerm(bound: readonly (string | null)[]): fc.Arbitrary<Expression> {
  return fc.record({
    kind: fc.constant("value" as const),
    selector: selectorOver(bound),
    operator: fc.constantFrom("equals" as const, "contains" as const),
    negated: fc.boolean(),
    value,
  });
}

function stateTerm(bound: readonly (string | null)[]): fc.Arbitrary<Expression> {
  return fc.record({
    kind: fc.constant("state" as const),
    selector: selectorOver(bound),
    operator: fc.constantFrom("empty" as const, "nil" as const),
    negated: fc.boolean(),
  });
}

function loop(bound: readonly (string | null)[], depth: number): fc.Arbitrary<Expression> {
  const names = fc.constantFrom(
    { mode: "one" as const, name: "v" },
    { mode: "pair" as const, key: "k", value: "v" },
    { mode: "pair" as const, key: null, value: "w" },
    { mode: "pair" as const, key: "k", value: null },
  );
  return fc
    .tuple(fc.constantFrom("any" as const, "all" as const), selectorOver(bound), names)
    .chain(([kind, selector, given]) => {
      const added = given.mode === "one" ? [given.name] : [given.key, given.value];
      return expressionOver([...bound, ...added], depth - 1).map((inner): Expression => ({
        kind,
        selector,
        names: given,
        inner,
      }));
    });
}

/** An expression's text, written in one of several ways by `style`, a number. */
export function textOf(expression: Expression, style: number): string {
  switch (expression.kind) {
    case "and":
    case "or":
      return expression.operands.map((operand) => operandText(operand, style)).join(` ${expression.kind} `);
    case "not":
      return `not ${operandText(expression.operand, style)}`;
    case "state": {
      const { selector, operator, negated } = expression;
      return `${selectorText(selector, style)} is ${negated ? "not " : ""}${operator}`;
    }
    case "value":
      return valueTermText(expression, style);
    case "any":
    case "all": {
      const { names } = expression;
      const bound = names.mode === "one" ? names.name : `${names.key ?? "_"}, ${names.value ?? "_"}`;
      return `${expression.kind} ${selectorText(expression.selector, style)} as ${bound} { ${textOf(expression.inner, style)} }`;
    }
    default:
      return expression satisfies never;
  }
}

function operandText(operand: Expression, style: number): string {
  const isSimple =
    operand.kind === "value" || operand.kind === "state" || (style % 2 === 0 && "inner" in operand);
  return isSimple ? textOf(operand, style) : `(${textOf(operand, style)})`;
}

function valueTermText(term: Expression & { kind: "value" }, style: number): string {
  const { operator, negated } = term;
  const [selector, wanted] = [selectorText(term.selector, style), valueText(term.value, style)];
  if (operator === "equals") return `${selector} ${negated ? "!=" : "=="} ${wanted}`;
  if (operator === "contains" && style % 3 === 0) return `${wanted} ${negated ? "not in" : "in"} ${selector}`;
  return `${selector} ${negated ? "not " : ""}${operator} ${wanted}`;
}

function valueText(text: string, style: number): string {
  const isWord = /^[a-zA-Z][\w/]*$/.test(text) && !/^(and|or|not|in|is|contains|matches)$/.test(text);
  const isNumber = /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text);
  if (style % 2 === 0 && (isWord || isNumber)) return text;
  return style % 5 < 3 || /[`\r]/.test(text) ? JSON.stringify(text) : `\`${text}\``;
}

function selectorText({ path: names }: Selector, style: number): string {
  if (style % 4 === 3) {
    const pointer = names.map((name) => name.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
    return JSON.stringify(`/${pointer}`);
  }
  const [root = "", ...members] = names;
  const parts = members.map((member) =>
    style % 4 < 2 && /^([a-zA-Z][\w/]*|\d+)$/.test(member) ? `.${member}` : `[${JSON.stringify(member)}]`,
  );
  return root + parts.join("");
}
