import { z } from "zod";
import { hideSecrets } from "./address-text.ts";
import { parseDuration, printDuration } from "../shared/duration.ts";
import { GO_BOOLEANS } from "../shared/go-booleans.ts";

/**
 * How one kind of option value is written and read: the same text is allowed in a flag, in the environment
 * and in the file, where YAML's own numbers, booleans and lists are allowed too.
 */
export interface ValueType<Value> {
  /** What stands behind the flag in the help: "<duration>". Empty for a switch. */
  readonly placeholder: string;
  /** Ends the sentence "allowed: …" of an error. */
  readonly allowed: string;
  readonly schema: z.ZodType<Value>;
  /** The value as an operator would write it. */
  print(value: Value): string;
  /** Ends the sentence "… is not allowed" where more can be said of what was given: `; did you mean …?`. */
  readonly nearest?: (given: string) => string;
  /** True where a value may hold a password, which is never shown. */
  readonly isAddress?: true;
  /** True where a repeated flag adds to the value instead of replacing it. */
  readonly list?: true;
  /** All that may be written, or stand between the commas of a list, where that is a choice of names. */
  readonly names?: readonly string[];
}

/** Builds a schema that reads `input` and turns it into a value; `read` answers undefined for bad input. */
export function readWith<Input, Value>(input: z.ZodType<Input>, read: (given: Input) => Value | undefined) {
  return input.transform((given, context): Value => {
    const value = read(given);
    if (value !== undefined) return value;
    context.addIssue("not allowed");
    return z.NEVER;
  });
}

export function text(
  placeholder: string,
  { pattern = /\S/, allowed = "any text that is not empty" } = {},
): ValueType<string> {
  return { placeholder, allowed, schema: z.string().trim().regex(pattern), print: (value) => value };
}

export function toggle(): ValueType<boolean> {
  return {
    placeholder: "",
    allowed: "true or false",
    schema: readWith(z.union([z.boolean(), z.enum([...GO_BOOLEANS.keys()])]), (given) =>
      typeof given === "boolean" ? given : GO_BOOLEANS.get(given),
    ),
    print: String,
  };
}

export function choice<const Name extends string>(
  names: readonly Name[],
  placeholder = `<${names.join("|")}>`,
): ValueType<Name> {
  return {
    placeholder,
    allowed: names.join(", "),
    names,
    schema: z.enum(names),
    print: (value) => value,
  };
}

/** A comma list, or a YAML list; repetitions of an item count once. */
export function list<const Name extends string>(
  placeholder: string,
  item: { allowed: string; schema: z.ZodType<Name> },
): ValueType<readonly Name[]> {
  return {
    placeholder,
    allowed: item.allowed,
    schema: readWith(z.union([z.string(), z.array(item.schema)]), (given): readonly Name[] | undefined => {
      const parts = typeof given === "string" ? given.split(",").map((part) => part.trim()) : given;
      const items = z.array(item.schema).min(1).safeParse(parts);
      return items.success ? [...new Set(items.data)] : undefined;
    }),
    print: (value) => value.join(","),
    list: true,
    ...(item.schema instanceof z.ZodEnum && { names: item.schema.options as readonly string[] }),
  };
}

/** Nomad agents. An address may carry a password for a proxy; it is not printed. */
export function addresses(): ValueType<readonly string[]> {
  const type = list("<urls>", {
    allowed:
      "addresses such as http://10.0.0.5:4646, https://nomad.example or unix:///run/nomad.sock, comma between",
    schema: z.string().regex(/^(https?:\/\/[^\s,]+|unix:\/\/\/[^\s,]+)$/),
  });
  return { ...type, isAddress: true, print: (value) => type.print(value.map(hideSecrets)) };
}

/** Milliseconds. */
export function duration(bounds: { minMs?: number; maxMs?: number } = {}): ValueType<number> {
  const { minMs = 0, maxMs = Number.MAX_SAFE_INTEGER } = bounds;
  const bounded = bounds.maxMs !== undefined;
  return {
    placeholder: "<duration>",
    allowed: bounded
      ? `a duration from ${printDuration(minMs)} to ${printDuration(maxMs)}, such as 45s or 1m30s`
      : "a duration, such as 500ms, 60s, 1h30m or 2d",
    schema: readWith(z.string().trim(), (given) => {
      const ms = parseDuration(given);
      return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined;
    }),
    print: printDuration,
  };
}

const SIZE_BYTES = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

/** Bytes of "64KiB", "1GB", "1.5MiB" or a bare number; undefined for anything else. */
function parseSize(given: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(given);
  if (match === null) return undefined;
  const unit = match[2] === "" ? "B" : match[2];
  if (!Object.hasOwn(SIZE_BYTES, unit ?? "")) return undefined;
  const bytes = Number(match[1]) * SIZE_BYTES[unit as keyof typeof SIZE_BYTES];
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : undefined;
}

export function printSize(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "kB"] as const) {
    if (bytes >= SIZE_BYTES[unit] && bytes % SIZE_BYTES[unit] === 0)
      return `${bytes / SIZE_BYTES[unit]}${unit}`;
  }
  return `${bytes}B`;
}

/** Bytes. */
export function size(bounds: { minBytes?: number; maxBytes?: number } = {}): ValueType<number> {
  const { minBytes = 1, maxBytes = Number.MAX_SAFE_INTEGER } = bounds;
  const range = bounds.maxBytes === undefined ? "" : ` from ${printSize(minBytes)} to ${printSize(maxBytes)}`;
  return {
    placeholder: "<size>",
    allowed: `a size${range}, such as 64KiB, 500MB or 2GiB`,
    schema: readWith(z.union([z.string().trim(), z.int()]), (given) => {
      const bytes = typeof given === "number" ? given : parseSize(given);
      return bytes !== undefined && bytes >= minBytes && bytes <= maxBytes ? bytes : undefined;
    }),
    print: printSize,
  };
}

const COUNT_UNITS = { "": 1, k: 1e3, M: 1e6 } as const;

export function count(bounds: { min?: number; max?: number } = {}): ValueType<number> {
  const { min = 1, max = Number.MAX_SAFE_INTEGER } = bounds;
  const range = bounds.max === undefined ? ` of at least ${min}` : ` from ${min} to ${max}`;
  return {
    placeholder: "<count>",
    allowed: `a whole number${range}, such as 100 or 500k or 2M`,
    schema: readWith(z.union([z.string().trim(), z.int()]), (given) => {
      const match = /^(\d+)([kM]?)$/.exec(String(given));
      if (match === null) return undefined;
      const value = Number(match[1]) * COUNT_UNITS[match[2] as keyof typeof COUNT_UNITS];
      return Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined;
    }),
    print: String,
  };
}

/** A limit that may be absent: "none" is null. */
export function limit(type: ValueType<number>): ValueType<number | null> {
  return {
    placeholder: type.placeholder,
    allowed: `none, or ${type.allowed}`,
    schema: z.union([z.literal("none").transform(() => null), type.schema]),
    print: (value) => (value === null ? "none" : type.print(value)),
  };
}

export interface HostAndPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

export function hostAndPort(): ValueType<HostAndPort> {
  return {
    placeholder: "<host:port>",
    allowed: "a host and a port, such as 127.0.0.1:4650, [::1]:4650 or 0.0.0.0:4650 (port 0: any free one)",
    schema: readWith(z.string().trim(), (given) => {
      const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(given);
      const host = match?.[1] ?? match?.[2];
      const port = Number(match?.[3]);
      return host !== undefined && port <= 65_535 ? { host, port } : undefined;
    }),
    print: ({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`,
  };
}

/** Where the log is kept. */
export type FeedLocation =
  | { readonly kind: "sqlite"; readonly path: string }
  /** The address may hold a password; it is not printed. */
  | { readonly kind: "redis"; readonly url: string };

export function feedLocation(): ValueType<FeedLocation> {
  return {
    placeholder: "<location>",
    allowed:
      "sqlite:<path of the log file>, such as sqlite:./nomad-changefeed.db, or an address of Redis that begins with redis://, redis+sentinel:// or redis+cluster:// (rediss for TLS; docs/redis-log.md)",
    schema: readWith(z.string().trim(), readFeedLocation),
    isAddress: true,
    print: (value) => (value.kind === "redis" ? hideSecrets(value.url) : `sqlite:${value.path}`),
  };
}

/** What follows the scheme of Redis is read, and refused with a reason, where the log is opened. */
function readFeedLocation(given: string): FeedLocation | undefined {
  if (/^rediss?(\+sentinel|\+cluster)?:\/\/[^/?\s]/.test(given)) return { kind: "redis", url: given };
  // A file of that name would hold the password of a mistyped address.
  const match = /^sqlite:(?:\/\/)?(?!.*:.*@)(?!.*:\/\/)(.+)$/.exec(given);
  return match?.[1] === undefined ? undefined : { kind: "sqlite", path: match[1] };
}
