import { z } from "zod";

/** A named consumer, as `/v1/consumers` shows it. */
export const consumerSchema = z.object({
  name: z.string(),
  cursor: z.string().describe("What it has acknowledged"),
  updatedAt: z.string().describe("RFC 3339"),
  behind: z
    .int()
    .nonnegative()
    .nullable()
    .describe("Events of the log after its cursor; null where that is of another epoch"),
  owner: z
    .string()
    .nullable()
    .describe("Whose it is, as the log names tokens; null: of nobody yet, and then of who uses it first"),
});
export type ConsumerStatus = z.infer<typeof consumerSchema>;
