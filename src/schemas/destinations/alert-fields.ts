import { z } from "zod";
import { duration } from "../value-types.ts";
import { DESTINATION_NAME, NAME_ALLOWED } from "./common.ts";
import { field, noted } from "./fields.ts";

/** Fields of every destination that alerts go to. Durations are ms. */
export function alertFields() {
  return {
    timeout: field(
      duration({ minMs: 100, maxMs: 600_000 }),
      "How long one message may take before it is ended and tried again",
    ).prefault("20s"),
    retry: z
      .strictObject({
        first: field(
          duration({ minMs: 10, maxMs: 3_600_000 }),
          "Longest pause before the second attempt; each further one may be twice as long",
        ).prefault("2s"),
        most: field(
          duration({ minMs: 10, maxMs: 86_400_000 }),
          "Longest pause there is. It is tried for ever",
        ).prefault("2m"),
      })
      .describe("Pauses between attempts, with full jitter")
      .prefault({}),
    formerName: noted(
      z.string().regex(DESTINATION_NAME).describe("The name it had before: it knows what that one was told"),
      { allowed: NAME_ALLOWED },
    ).optional(),
  };
}
