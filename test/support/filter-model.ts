import type { Expression, Selector } from "../../src/filters/expression.ts";

/** JSON whose numbers are their texts. */
type Value = null | string | boolean | { readonly number: string } | Value[] | Map<string, Value>;

/** What an expression says of an object, as plainly as it can be said: no compiling, no order, no shortcuts. */
export function modelOf(expression: Expression, stubText: string): boolean {
  return holds(expression, read(stubText), []);
}

function read(text: string): Value {
  return JSON.parse(text, function (_name, value: unknown, context): unknown {
    if (typeof value === "number") return { number: context.source };
    const isMembers =
      typeof value === "object" && value !== null && !Array.isArray(value) && !("number" in value);
    return isMembers ? new Map(Object.entries(value)) : value;
  }) as Value;
}

function holds(expression: Expression, stub: Value, bound: readonly Value[]): boolean {
  switch (expression.kind) {
    case "and":
      return !expression.operands.map((operand) => holds(operand, stub, bound)).includes(false);
    case "or":
      return expression.operands.map((operand) => holds(operand, stub, bound)).includes(true);
    case "not":
      return !holds(expression.operand, stub, bound);
    case "value": {
      const found = select(expression.selector, stub, bound);
      const isSo = (expression.operator === "equals" ? isEqual : contains)(found, expression.value);
      return expression.negated ? !isSo : isSo;
    }
    case "state": {
      const found = select(expression.selector, stub, bound);
      const isSo = found === null || (expression.operator === "empty" && sizeOf(found) === 0);
      return expression.negated ? !isSo : isSo;
    }
    case "any":
    case "all": {
      const { selector, names, inner, kind } = expression;
      const verdicts = entries(select(selector, stub, bound)).map(([key, value, isList]) => {
        const named = names.mode === "one" ? [isList ? value : key] : [key, value];
        return holds(inner, stub, [...bound, ...named]);
      });
      return kind === "any" ? verdicts.includes(true) : !verdicts.includes(false);
    }
    default:
      return expression satisfies never;
  }
}

function select({ path, slot }: Selector, stub: Value, bound: readonly Value[]): Value {
  let found: Value = slot === undefined ? stub : (bound[slot] ?? null);
  for (const name of slot === undefined ? path : path.slice(1)) {
    if (found instanceof Map) found = found.get(name) ?? null;
    else if (Array.isArray(found)) found = found.find((_item, position) => String(position) === name) ?? null;
    else found = null;
  }
  return found;
}

function isEqual(found: Value, wanted: string): boolean {
  if (typeof found === "string") return found === wanted;
  if (typeof found === "boolean") {
    return (found ? /^(1|t|T|true|TRUE|True)$/ : /^(0|f|F|false|FALSE|False)$/).test(wanted);
  }
  if (typeof found !== "object" || found === null || !("number" in found)) return false;
  const [a, b] = [fractionOf(found.number), fractionOf(wanted)];
  return a !== undefined && a === b;
}

/** A decimal times a power of ten that makes all of them whole. */
function fractionOf(text: string): bigint | undefined {
  const parts = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts;
  const scale = 2000 + Number(exponent) - fraction.length;
  return BigInt(`${sign === "-" ? "-" : ""}${whole}${fraction}`) * 10n ** BigInt(scale);
}

function contains(found: Value, wanted: string): boolean {
  if (typeof found === "string") return found.includes(wanted);
  if (Array.isArray(found)) return found.some((item) => isEqual(item, wanted));
  return found instanceof Map && found.has(wanted);
}

function sizeOf(found: Value): number | undefined {
  if (typeof found === "string" || Array.isArray(found)) return found.length;
  return found instanceof Map ? found.size : undefined;
}

function entries(found: Value): (readonly [key: Value, value: Value, isList: boolean])[] {
  if (Array.isArray(found)) {
    return found.map((value, position) => [{ number: String(position) }, value, true]);
  }
  return found instanceof Map ? [...found].map(([key, value]) => [key, value, false]) : [];
}
