import { z } from "zod";
import { commonFields } from "./common.ts";

/** JSON lines on the standard output of `run`, whose log lines go to stderr. */
export const stdoutSettingsSchema = z.strictObject({
  type: z
    .literal("stdout")
    .describe("JSON lines on the standard output of `run`; its log lines go to stderr"),
  ...commonFields({ from: "beginning", ordering: "strict", events: 1000, bytes: "1MiB", timeout: "30s" }),
});
export type StdoutSettings = z.infer<typeof stdoutSettingsSchema>;
