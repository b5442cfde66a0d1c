import { createHash } from "node:crypto";
import { isScalar, LineCounter, parseDocument, type Document } from "yaml";
import { z } from "zod";
import { isResourceType, RESOURCE_TYPES, type ResourceType } from "../../schemas/resources.ts";
import { TokensFileInvalid } from "./errors.ts";

/** A token that an operator wrote down. */
export interface StaticToken {
  readonly name: string;
  readonly sha256: Buffer;
  /** Names and globs of namespaces. */
  readonly namespaces: readonly string[];
  readonly resources: readonly ResourceType[];
  /** Whether it acts for all, as for the consumers of other tokens. */
  readonly manages: boolean;
  readonly expiresAtMs: number | undefined;
}

const resourceName = z.union([z.enum(RESOURCE_TYPES), z.literal("*")], {
  error: `allowed: * for all, or of ${RESOURCE_TYPES.join(", ")}`,
});

const tokenSchema = z
  .strictObject({
    name: z.string("must be a name").regex(/^[\w.-]{1,64}$/, "allowed: up to 64 letters, digits, _ . -"),
    token: z
      .string("must be a text")
      .regex(/^[\x21-\x7e]{20,}$/, "must have at least 20 visible ASCII characters and no spaces")
      .optional(),
    sha256: z
      .string("must be a text")
      .regex(/^[0-9a-fA-F]{64}$/, "must be 64 hexadecimal digits: printf %s <token> | sha256sum")
      .optional(),
    namespaces: z
      .array(z.string().min(1), 'must be a list of names or globs of namespaces; ["*"] for all')
      .min(1, "must name a namespace, or * for all"),
    resources: z
      .array(resourceName, 'must be a list of resources; ["*"] for all')
      .min(1, "must name a resource, or * for all"),
    management: z.enum(["true", "false"], "must be true or false").optional(),
    expires: z.iso.datetime({ offset: true, error: "must be an RFC 3339 time" }).optional(),
  })
  .refine(({ token, sha256 }) => (token === undefined) !== (sha256 === undefined), {
    message: "give sha256 (better) or token, one of them",
  });
const fileSchema = z.strictObject({ tokens: z.array(tokenSchema, "must be a list of tokens") });

/**
 * Reads YAML or JSON.
 * @throws TokensFileInvalid naming the line and the field of everything that is wrong; no token is quoted.
 */
export function parseTokensFile(
  path: string,
  text: string,
  { worldReadable }: { worldReadable: boolean },
): readonly StaticToken[] {
  const lines = new LineCounter();
  // Everything is text, also a hash that happens to look like a number.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: "failsafe" });
  if (document.errors.length > 0) {
    throw new TokensFileInvalid(
      // The parser's own message may quote the text.
      document.errors.map(
        ({ pos, code }) => `${path}:${lines.linePos(pos[0]).line}: not valid YAML (${code})`,
      ),
    );
  }
  const parsed = fileSchema.safeParse(document.toJS());
  if (!parsed.success) {
    throw new TokensFileInvalid(
      parsed.error.issues.map(
        (issue) =>
          `${path}:${lineOf(document, lines, issue.path)}: ${fieldOf(issue.path)}${problemOf(issue)}`,
      ),
    );
  }
  const { tokens } = parsed.data;
  const problems = conflicts(tokens).map(
    ({ position, problem }) => `${path}:${lineOf(document, lines, ["tokens", position])}: ${problem}`,
  );
  if (worldReadable && tokens.some(({ token }) => token !== undefined)) {
    problems.push(
      `${path}: everybody on this machine can read the tokens in it: chmod o-r, or give sha256 in place of token`,
    );
  }
  if (problems.length > 0) throw new TokensFileInvalid(problems);
  return tokens.map((token) => ({
    name: token.name,
    sha256: hashOf(token),
    namespaces: token.namespaces,
    resources: token.resources.includes("*") ? RESOURCE_TYPES : token.resources.filter(isResourceType),
    manages: token.management === "true",
    expiresAtMs: token.expires === undefined ? undefined : Date.parse(token.expires),
  }));
}

type Written = z.infer<typeof tokenSchema>;

function conflicts(tokens: readonly Written[]): { position: number; problem: string }[] {
  const names = new Map<string, number>();
  const hashes = new Map<string, number>();
  return tokens.flatMap((token, position) => {
    const hash = hashOf(token).toString("hex");
    const sameName = names.get(token.name);
    const sameHash = hashes.get(hash);
    names.set(token.name, position);
    hashes.set(hash, position);
    const problems: { position: number; problem: string }[] = [];
    if (sameName !== undefined)
      problems.push({ position, problem: `tokens[${position}].name: tokens[${sameName}] has it already` });
    if (sameHash !== undefined)
      problems.push({
        position,
        problem: `tokens[${position}]: it is the same token as tokens[${sameHash}]`,
      });
    return problems;
  });
}

function hashOf({ token, sha256 }: Written): Buffer {
  if (sha256 !== undefined) return Buffer.from(sha256, "hex");
  return createHash("sha256")
    .update(token ?? "")
    .digest();
}

type Path = readonly PropertyKey[];

/** `tokens[2].sha256: ` */
function fieldOf(path: Path): string {
  if (path.length === 0) return "";
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return `${text.replace(/^\./, "")}: `;
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    const allowed = issue.path.length === 0 ? "tokens" : Object.keys(tokenSchema.shape).join(", ");
    return `there is no ${issue.keys.map((key) => JSON.stringify(key.slice(0, 30))).join(", ")}; allowed: ${allowed}`;
  }
  return issue.message;
}

/** Of the field, or of the innermost thing around it that is there. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    const range =
      typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)
        ? node.range
        : undefined;
    const start: unknown = range?.[0];
    if (typeof start === "number") return lines.linePos(start).line;
    if (isScalar(node)) break;
  }
  return 1;
}
