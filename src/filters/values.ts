import { isJsonObject, type Json, type JsonObject } from "../schemas/json.ts";
import { GO_BOOLEANS } from "../shared/go-booleans.ts";
import { includesWithin, namesWithin, spendOnComparing, type Budget } from "./budget.ts";
import type { Evaluation } from "./evaluation.ts";

/** Reading a number's text takes about as long as so many steps, and one more for each character. */
const STEPS_OF_A_DECIMAL = 8;

/** Whether a value of an event passes. */
export type Predicate = (value: Json, evaluation: Evaluation) => boolean;

/** Whether a value is what was written in the expression: by the type the value has. */
export function equalTo(wanted: string): Predicate {
  const decimal = decimalOf(wanted);
  const approximate = Number(wanted);
  // Two decimals that are equal round to the same float; the reverse does not hold.
  const isExact = decimal !== undefined && decimalOf(String(approximate)) === decimal;
  const truth = GO_BOOLEANS.get(wanted);
  return (value, evaluation) => {
    if (typeof value === "string") return isSameText(value, wanted, evaluation);
    if (typeof value === "boolean") return value === truth;
    if (decimal === undefined) return false;
    if (typeof value !== "number") return rawDecimal(value, evaluation) === decimal;
    if (value !== approximate) return false;
    if (!Number.isSafeInteger(value)) evaluation.assertExact();
    return isExact;
  };
}

function isSameText(value: string, wanted: string, budget: Budget): boolean {
  if (value.length !== wanted.length) return false;
  spendOnComparing(value.length, budget);
  return value === wanted;
}

function rawDecimal(value: Json, budget: Budget): string | undefined {
  if (typeof value !== "object" || value === null || !JSON.isRawJSON(value)) return undefined;
  budget.spend(STEPS_OF_A_DECIMAL + value.rawJSON.length);
  return decimalOf(value.rawJSON);
}

/** One text for all ways to write a decimal: digits without zeros at either end, and an exponent. */
function decimalOf(text: string): string | undefined {
  const parts = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,9}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts;
  const digits = trimZerosAtStart(whole + fraction);
  if (digits === "") return "0";
  const significant = trimZerosAtEnd(digits);
  const scale = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign === "-" ? "-" : ""}${significant}e${scale}`;
}

function trimZerosAtStart(text: string): string {
  let from = 0;
  while (text[from] === "0") from += 1;
  return text.slice(from);
}

function trimZerosAtEnd(text: string): string {
  let to = text.length;
  while (to > 0 && text[to - 1] === "0") to -= 1;
  return text.slice(0, to);
}

/** A list with such an element, a map with such a key, a text with such a part. */
export function containing(wanted: string): Predicate {
  const isEqual = equalTo(wanted);
  return (value, evaluation) => {
    if (typeof value === "string") return includesWithin(value, wanted, evaluation);
    if (Array.isArray(value)) {
      evaluation.spend(value.length);
      return value.some((item) => isEqual(item, evaluation));
    }
    return isJsonObject(value) && Object.hasOwn(value, wanted);
  };
}

/** A list, map or text without anything in it. */
export function isEmpty(value: Json, budget: Budget): boolean {
  if (typeof value === "string" || Array.isArray(value)) return value.length === 0;
  if (!isJsonObject(value)) return false;
  return namesWithin(value, budget).length === 0;
}

/** A member of a map, an element of a list, or undefined; null is as good as absent. */
export function memberOf(value: Json, name: string): Json | undefined {
  const isThere = Array.isArray(value)
    ? /^\d{1,9}$/.test(name)
    : isJsonObject(value) && Object.hasOwn(value, name);
  return isThere ? ((value as JsonObject)[name] ?? undefined) : undefined;
}
