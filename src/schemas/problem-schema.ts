import { z } from "zod";

/** Why a request got no answer, as PROTOCOL.md section 7 has it. */
export const problemSchema = z.object({
  code: z.string().describe("Stable name, listed in docs/errors.md"),
  message: z.string(),
  hint: z.string().optional(),
  field: z.string().optional().describe("What was not understood"),
  allowed: z.array(z.string()).optional().describe("What it may be"),
  nearest: z.string().optional().describe("What may have been meant"),
  position: z.int().positive().optional().describe("Where in `filter`, in characters from 1"),
  floor: z.string().optional().describe("Earliest cursor there is"),
  oldestTime: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("When the oldest event that is kept was recorded"),
  head: z.string().optional().describe("Where the feed ends"),
});
export type Problem = z.infer<typeof problemSchema>;
