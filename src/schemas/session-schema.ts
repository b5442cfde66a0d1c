import { z } from "zod";

/** Who a browser is, as far as the server knows. */
export const sessionSchema = z.object({
  auth: z.enum(["none", "token"]).describe("token: everything but this needs one"),
  signedIn: z.boolean().describe("Whether the request brings a token that is good, by cookie or otherwise"),
  who: z.string().nullable().describe("Whose token it is, as logs name it"),
  management: z.boolean().describe("Whether they may steer deliveries, silences and the configuration"),
  seesAll: z.boolean().describe("Whether nothing of the feed is kept from them"),
  namespaces: z
    .array(z.string())
    .nullable()
    .describe("Where they may see objects, of the namespaces that have some; null: in all, or not known"),
});
export type SessionAnswer = z.infer<typeof sessionSchema>;
