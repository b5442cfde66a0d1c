import { z } from "zod";
import { field, noted } from "./destinations/fields.ts";
import { RESOURCE_TYPES } from "./resources.ts";
import { list } from "./value-types.ts";

/** What stands in the place of what was redacted. */
export const REDACTED = "[redacted]";

const PATH = /^(?:\/(?:[^~/]|~0|~1)*)+$/u;

export const redactionRuleSchema = z
  .strictObject({
    paths: field(
      list("<paths>", {
        allowed:
          "JSON Pointers into the object as /Meta/PASSWORD; * stands for any one name, ** for any number of them",
        schema: z.string().regex(PATH),
      }),
      "What is redacted wherever it stands in an object, with all that is in it",
    ).optional(),
    patterns: noted(
      z
        .array(z.string().min(1))
        .min(1)
        .describe(
          "Regular expressions, as the filter language has them: a text that one matches anywhere is redacted whole, values and names of members alike",
        ),
      { allowed: "a list of regular expressions (docs/filters.md)", hidden: true },
    ).optional(),
    resources: field(
      list("<types>", { schema: z.enum(RESOURCE_TYPES), allowed: RESOURCE_TYPES.join(", ") }),
      "Of these kinds of objects; without it, of all, and of the feed's own events",
    ).optional(),
    namespaces: field(
      list("<names>", { schema: z.string().min(1), allowed: "names of namespaces" }),
      "Of these namespaces; without it, of all",
    ).optional(),
  })
  .refine(({ paths, patterns }) => paths !== undefined || patterns !== undefined, {
    error: "redacts nothing; allowed: paths, patterns, or both",
  });

/** What must not leave the feed. */
export type RedactionRule = z.infer<typeof redactionRuleSchema>;
