import { text, toggle } from "../value-types.ts";
import { field } from "./fields.ts";

/** Of what sends by HTTP to addresses of others. */
export const allowPrivate = field(
  toggle(),
  "Whether it may be at a private, loopback or link-local address. Checked of the address connected to",
).prefault(false);

/** Of a body that is made by a template. */
export function templateFields(description: string) {
  return {
    template: field(
      text("<template>", { allowed: "a Liquid template, or env:NAME or file:PATH of one" }),
      description,
      {
        behind: { pattern: /\S/, allowed: "a Liquid template" },
      },
    ).optional(),
    contentType: field(
      text("<type>", { pattern: /^[^\s/]+\/\S[^\r\n]*$/, allowed: "a media type, such as text/plain" }),
      "Of a body by template; without it application/json",
    ).optional(),
  };
}
