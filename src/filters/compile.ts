import { isJsonObject, type Json } from "../schemas/json.ts";
import { namesWithin } from "./budget.ts";
import { changesAt } from "./changes.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Expression, Loop, LoopNames, Selector, StateTerm, ValueTerm } from "./expression.ts";
import { Regex } from "./regex/regex.ts";
import { sourceOf, UNKNOWN } from "./sources.ts";
import { containing, equalTo, isEmpty, type Predicate } from "./values.ts";

/** Undefined: the event does not say enough to tell. */
type Verdict = boolean | undefined;

export interface Test {
  /** Whether the event must be parsed for it. */
  readonly needsData: boolean;
  readonly holds: (evaluation: Evaluation) => Verdict;
}

/** An expression as a tree of closures. `slots`: how many names the loops around it gave. */
export function compileExpression(expression: Expression, slots = 0): Test {
  switch (expression.kind) {
    case "and":
      return chain(expression.operands, slots, false);
    case "or":
      return chain(expression.operands, slots, true);
    case "not": {
      const { needsData, holds } = compileExpression(expression.operand, slots);
      return { needsData, holds: (evaluation) => negate(holds(evaluation)) };
    }
    case "value":
      return valueTest(expression);
    case "state":
      return stateTest(expression);
    case "any":
    case "all":
      return loopTest(expression, slots);
    default:
      return expression satisfies never;
  }
}

function negate(verdict: Verdict): Verdict {
  return verdict === undefined ? undefined : !verdict;
}

/** `or` is decided by the first that is true, `and` by the first that is false; what needs no parsing goes first. */
function chain(operands: readonly Expression[], slots: number, decisive: boolean): Test {
  const tests = operands
    .map((operand) => compileExpression(operand, slots))
    .toSorted((a, b) => Number(a.needsData) - Number(b.needsData));
  return {
    needsData: tests.some(({ needsData }) => needsData),
    holds: (evaluation) => {
      let result: Verdict = !decisive;
      for (const test of tests) {
        const verdict = test.holds(evaluation);
        if (verdict === decisive) return decisive;
        if (verdict === undefined) result = undefined;
      }
      return result;
    },
  };
}

function valueTest({ selector, operator, negated, value: wanted }: ValueTerm): Test {
  const ofChanges = selector.slot === undefined && selector.path.join(".") === "changes";
  const matches = predicate(operator, wanted, ofChanges);
  return termTest(selector, (found, evaluation, isCut) => {
    const isSo = found !== undefined && matches(found, evaluation);
    return !isSo && isCut() ? undefined : isSo !== negated;
  });
}

function stateTest({ selector, operator, negated }: StateTerm): Test {
  return termTest(selector, (found, evaluation, isCut) => {
    const isSo = found === undefined || (operator === "empty" && isEmpty(found, evaluation));
    // What was cut may have been all there was.
    return isSo && isCut() ? undefined : isSo !== negated;
  });
}

type Decide = (found: Json | undefined, evaluation: Evaluation, isCut: () => boolean) => Verdict;

/** A test of what a selector finds. `isCut`: there may be more than was found. */
function termTest(selector: Selector, decide: Decide): Test {
  const { needsData, read, isCut } = sourceOf(selector);
  return {
    needsData,
    holds: (evaluation) => {
      evaluation.spend(1);
      const found = read(evaluation);
      if (found === UNKNOWN) return undefined;
      return decide(found, evaluation, () => isCut?.(evaluation) === true);
    },
  };
}

function predicate(operator: ValueTerm["operator"], wanted: string, ofChanges: boolean): Predicate {
  switch (operator) {
    case "equals":
      return equalTo(wanted);
    case "contains":
      return ofChanges ? changesAt(wanted) : containing(wanted);
    case "matches": {
      const regex = new Regex(wanted);
      return (value, evaluation) => typeof value === "string" && regex.test(value, evaluation);
    }
    default:
      return operator satisfies never;
  }
}

/** Any is an or, all an and, over what the list or map holds. Over anything else there is nothing to go through. */
function loopTest({ kind, selector, names, inner }: Loop, slots: number): Test {
  const { needsData, holds } = compileExpression(inner, slots + (names.mode === "one" ? 1 : 2));
  const decisive = kind === "any";
  const test = termTest(selector, (found, evaluation, isCut) => {
    let result: Verdict = isCut() ? undefined : !decisive;
    const decides = (key: number | string, value: Json): boolean => {
      evaluation.spend(1);
      bind(evaluation.slots, slots, names, key, value);
      const verdict = holds(evaluation);
      if (verdict === undefined) result = undefined;
      return verdict === decisive;
    };
    return someMember(found, evaluation, decides) ? decisive : result;
  });
  return { ...test, needsData: test.needsData || needsData };
}

function someMember(
  found: Json | undefined,
  evaluation: Evaluation,
  isIt: (key: number | string, value: Json) => boolean,
): boolean {
  if (Array.isArray(found)) return found.some((value, position) => isIt(position, value));
  if (!isJsonObject(found)) return false;
  return namesWithin(found, evaluation).some((name) => isIt(name, found[name] ?? null));
}

function bind(slots: Json[], first: number, names: LoopNames, key: number | string, value: Json): void {
  if (names.mode === "one") {
    slots[first] = typeof key === "number" ? value : key;
  } else {
    slots[first] = key;
    slots[first + 1] = value;
  }
}
