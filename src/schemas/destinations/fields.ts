import { z } from "zod";
import { text as textType, type ValueType } from "../value-types.ts";

/** What the reader of the file knows of a field beside its schema. */
export interface FieldNotes {
  /** Ends the sentence "allowed: …" of an error. */
  readonly allowed: string;
  /** The parsed value as an operator would write it. */
  readonly print?: (value: never) => string;
  /** What is given may be a secret: it is never quoted. */
  readonly hidden?: true;
  /** The value may be a reference; the text behind it has to be such. */
  readonly behind?: { readonly pattern: RegExp; readonly allowed: string };
  /** Names a file that has to be there. */
  readonly isPath?: true;
}
const NOTES = new WeakMap<z.ZodType, FieldNotes>();

/** The schema itself, with notes. What is made of it later, as by `describe`, has none. */
export function noted<Schema extends z.ZodType>(schema: Schema, notes: FieldNotes): Schema {
  NOTES.set(schema, notes);
  return schema;
}

export function notesOf(schema: z.ZodType): FieldNotes | undefined {
  return NOTES.get(schema);
}

const REFERENCE = /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;
const REFERENCES = "env:NAME or file:PATH";
/** Of an address in the file itself; one with a password in it needs a reference. */
export const HTTP_ADDRESS = {
  pattern: /^https?:\/\/[^\s/@?#]+(?:[/?#]\S*)?$/,
  allowed: "an address without a password that begins with https:// or http://",
};
const ANY_HTTP_ADDRESS = {
  pattern: /^https?:\/\/[^\s/?#]+(?:[/?#]\S*)?$/,
  allowed: "an address that begins with https:// or http://",
};
const SOME_TEXT = { pattern: /\S/, allowed: "some text" };

/** Whether a text stands for what a variable or a file holds. */
export function isReference(text: string): boolean {
  return REFERENCE.test(text);
}

/** A field that is written as an option of that type is. */
export function field<Value>(
  type: ValueType<Value>,
  description: string,
  notes: Pick<FieldNotes, "behind"> = {},
) {
  const { schema, allowed } = type;
  return noted(schema.describe(description), {
    allowed,
    print: (value: Value) => type.print(value),
    ...notes,
  });
}

/** Path of a file that has to be there. */
export function path(description: string) {
  const schema = z.string().trim().min(1).describe(description);
  return noted(schema, { allowed: "path of a file", isPath: true });
}

/** A secret, by reference only: a literal is refused and not quoted. */
export function secret(description: string, behind: FieldNotes["behind"] = SOME_TEXT) {
  const schema = z.string().regex(REFERENCE).describe(`${description}: ${REFERENCES}`);
  const allowed = behind === SOME_TEXT ? REFERENCES : `${REFERENCES}, and behind it ${behind.allowed}`;
  return noted(schema, { allowed, hidden: true, behind });
}

/** A text that may hold a secret, and then is a reference. The text behind that may be more than what may stand here. */
export function textOrReference(
  description: string,
  literal: { pattern: RegExp; allowed: string },
  behind = literal,
) {
  const either = new RegExp(`${REFERENCE.source}|^(?!env:|file:)(?:${literal.pattern.source})`);
  const schema = z.string().trim().regex(either).describe(`${description}. Or ${REFERENCES}`);
  return noted(schema, { allowed: `${literal.allowed}, or ${REFERENCES}`, hidden: true, behind });
}

/** An address for HTTP, which may be or hold a secret, and then is a reference. */
export function httpAddress(description: string) {
  return textOrReference(description, HTTP_ADDRESS, ANY_HTTP_ADDRESS);
}

export const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Names of headers that say that a secret stands behind them. */
export const SECRET_HEADER = /auth|cookie|token|secret|key|passw|signature/i;

export function headers(description: string) {
  const value = textOrReference("What it holds", { pattern: /^[^\r\n\0]*$/, allowed: "one line of text" });
  const schema = z
    .record(z.string().regex(HEADER_NAME), value)
    .superRefine((given, context) => {
      for (const [name, text] of Object.entries(given)) {
        if (!SECRET_HEADER.test(name) || isReference(text)) continue;
        context.addIssue({
          code: "custom",
          path: [name],
          message: `what stands here is a secret (not shown); allowed: ${REFERENCES}`,
        });
      }
    })
    .describe(
      `${description}. A header whose name tells of a secret, as Authorization does, takes ${REFERENCES} only`,
    );
  return noted(schema, { allowed: "names of headers, each with its text" });
}

/** How a connection is secured. */
export function tls(description: string) {
  const schema = z
    .strictObject({
      caCert: path("PEM file of the authority that signed the server's certificate").optional(),
      clientCert: path("PEM file of our certificate, where the server asks for one").optional(),
      clientKey: path("PEM file of its key").optional(),
      serverName: field(textType("<name>"), "Name to expect in the server's certificate").optional(),
    })
    .refine(({ clientCert, clientKey }) => (clientCert === undefined) === (clientKey === undefined), {
      error: "clientCert and clientKey go together; give both or neither",
    })
    .describe(`${description}; {} trusts the system's authorities`);
  return noted(schema, { allowed: "{}, or caCert, clientCert, clientKey, serverName" });
}
