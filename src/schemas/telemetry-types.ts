import { z } from "zod";
import { HTTP_ADDRESS, httpAddress, isReference } from "./destinations/fields.ts";
import { duration, readWith, type ValueType } from "./value-types.ts";

/** Texts by their names, in order. */
export type Pairs = Readonly<Record<string, string>>;

const PAIRS = "name=value, comma between, each value percent-encoded where it has a comma";
const ONE_LINE = /^[^\r\n\0]*$/;

/**
 * What OpenTelemetry's variables hold: `name=value,name=value`, each value percent-encoded; or a YAML map, as it is.
 * `mayBeSecret`: a value may be a reference, and no other is printed.
 */
export function pairs({
  name,
  mayBeSecret = false,
}: {
  name: RegExp;
  mayBeSecret?: boolean;
}): ValueType<Pairs> {
  const schema = readWith(z.union([z.string(), z.record(z.string(), z.string())]), (given) => {
    const read = typeof given === "string" ? pairsIn(given) : given;
    const isAllowed = Object.entries(read ?? { "": "" }).every(
      ([key, value]) => name.test(key) && ONE_LINE.test(value),
    );
    return isAllowed ? read : undefined;
  });
  const shown = (value: string) =>
    mayBeSecret && !isReference(value) ? "…" : value.replaceAll(/[%,]/g, encodeURIComponent);
  return {
    placeholder: "<name=value,…>",
    allowed: mayBeSecret ? `${PAIRS}; a value may be env:NAME or file:PATH` : PAIRS,
    schema,
    print: (value) =>
      Object.entries(value)
        .map(([key, one]) => `${key}=${shown(one)}`)
        .join(","),
  };
}

/** Undefined where it is none, or an escape in it is. */
function pairsIn(given: string): Pairs | undefined {
  const read: [string, string][] = [];
  for (const pair of given.split(",")) {
    const at = pair.indexOf("=");
    if (at < 1) return undefined;
    try {
      read.push([pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]);
    } catch {
      return undefined;
    }
  }
  return Object.fromEntries(read);
}

/** Where OTLP is received: an address, or a reference to one. */
export function otlpAddress(): ValueType<string> {
  const allowed = `${HTTP_ADDRESS.allowed}, env:NAME, or file:PATH`;
  const schema = httpAddress("Where OTLP is received");
  return { placeholder: "<url>", allowed, schema, print: (value) => value, isAddress: true };
}

/** From 0 to 1. */
export function share(): ValueType<number> {
  return {
    placeholder: "<share>",
    allowed: "a number from 0 to 1, such as 0.05",
    schema: readWith(z.union([z.number(), z.string().trim()]), (given) => {
      const value = typeof given === "number" || /^\d*\.?\d+$/.test(given) ? Number(given) : Number.NaN;
      return value >= 0 && value <= 1 ? value : undefined;
    }),
    print: String,
  };
}

/** A duration, which OpenTelemetry writes as a bare number of ms. Answers ms. */
export function otelDuration(bounds: { minMs: number; maxMs: number }): ValueType<number> {
  const type = duration(bounds);
  return {
    ...type,
    allowed: `${type.allowed}; a bare number is ms`,
    schema: readWith(z.union([z.string().trim(), z.int()]), (given) => {
      const written = /^\d+$/.test(String(given)) ? `${given}ms` : given;
      return type.schema.safeParse(written).data;
    }),
  };
}
