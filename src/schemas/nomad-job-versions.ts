import { z } from "zod";

/** `"None"` comes with what is shown for context only. */
const diffType = z.enum(["None", "Added", "Deleted", "Edited"]);
/** Go writes an empty list as null. */
const listOf = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const fieldDiffSchema = z.object({ Type: diffType, Name: z.string(), Old: z.string(), New: z.string() });
export type NomadFieldDiff = z.infer<typeof fieldDiffSchema>;

/** A block of the specification, as `Config`, with the blocks in it. */
export interface NomadObjectDiff {
  readonly Type: z.infer<typeof diffType>;
  readonly Name: string;
  readonly Fields: readonly NomadFieldDiff[];
  readonly Objects: readonly NomadObjectDiff[];
}
const objectDiffSchema: z.ZodType<NomadObjectDiff> = z.object({
  Type: diffType,
  Name: z.string(),
  Fields: listOf(fieldDiffSchema),
  Objects: z.lazy(() => listOf(objectDiffSchema)),
});

const blocks = { Type: diffType, Fields: listOf(fieldDiffSchema), Objects: listOf(objectDiffSchema) };
const taskDiffSchema = z.object({ ...blocks, Name: z.string() });
const groupDiffSchema = z.object({ ...blocks, Name: z.string(), Tasks: listOf(taskDiffSchema) });
const jobDiffSchema = z.object({ ...blocks, TaskGroups: listOf(groupDiffSchema) });
export type NomadJobDiff = z.infer<typeof jobDiffSchema>;

const tagSchema = z.object({
  Name: z.string(),
  Description: z.string().nullish(),
  TaggedTime: z.number().nullish(),
});

/** `GET /v1/job/<id>/versions?diffs=true`, of the specification only what tells the versions apart. */
export const nomadJobVersionsSchema = z.object({
  Versions: listOf(
    z.object({
      Version: z.int().nonnegative(),
      /** Raft index at which its specification was written. */
      JobModifyIndex: z.int().nullish(),
      /** Nanoseconds since 1970; more digits than a number holds, and fewer are shown. */
      SubmitTime: z.number().nullish(),
      Stable: z.boolean().nullish(),
      Stop: z.boolean().nullish(),
      Status: z.string().nullish(),
      /** Accessor of the token that registered it, or one before it. */
      NomadTokenID: z.string().nullish(),
      VersionTag: tagSchema.nullish(),
    }),
  ),
  /** One fewer: each says what a version changed in the one behind it in the list. */
  Diffs: listOf(jobDiffSchema),
});
export type NomadJobVersions = z.infer<typeof nomadJobVersionsSchema>;

/**
 * - none: there is no such job, or not for the token that asked.
 * - too-large: the answer has more bytes than are read.
 */
export type NomadJobVersionsAnswer =
  | { readonly kind: "some"; readonly found: NomadJobVersions }
  | { readonly kind: "none" }
  | { readonly kind: "too-large" };
