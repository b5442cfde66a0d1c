import { z } from "zod";
import { choice, count, size, text } from "../value-types.ts";
import { commonFields } from "./common.ts";
import { field } from "./fields.ts";

export const fileSettingsSchema = z.strictObject({
  type: z.literal("file").describe("JSON lines in a file that is rotated"),
  ...commonFields({ from: "beginning", ordering: "strict", events: 1000, bytes: "1MiB", timeout: "10s" }),
  path: field(text("<path>"), "File that events are added to, one JSON object a line"),
  rotate: z
    .strictObject({
      bytes: field(
        size({ minBytes: 64 * 2 ** 10 }),
        "Size at which it becomes <path>.1 and a new one begins",
      ).prefault("100MiB"),
      keep: field(count({ max: 1000 }), "Files kept beside it: <path>.1 to <path>.<keep>").prefault(5),
    })
    .describe("When a new file begins, and how many stay")
    .prefault({}),
  fsync: field(
    choice(["batch", "none"]),
    "batch: forced to the disk before a batch counts as written; none: the system writes it when it likes",
  ).prefault("batch"),
});
export type FileSettings = z.infer<typeof fileSettingsSchema>;
