import { z } from "zod";
import { alertSchema } from "./alert-schema.ts";
import { silenceSchema } from "./routes.ts";

const names = z.array(z.string());
const ms = z.int().nonnegative();

/** One way to a destination. */
const toldSchema = z.object({
  destination: z.string(),
  route: z.string().describe("Place of the route in the tree: 0, and its first child 0.0"),
  group: z.record(z.string(), z.string()).describe("What all alerts of the message have in common"),
  groupWaitMs: ms,
  repeatIntervalMs: ms,
  isMuted: z.boolean().describe("When it fired, the route was mute"),
});
export type Told = Readonly<z.infer<typeof toldSchema>>;

/** Where an alert goes. */
const routedAlertSchema = z.object({
  alert: alertSchema,
  route: z.string().nullable().describe("The last route that took it; null: none did"),
  told: z.array(toldSchema),
  alertmanagers: z
    .array(z.object({ name: z.string(), mismatch: z.string().nullable() }))
    .describe("Destinations that no route leads to; why it is not told there, null: it is"),
  steps: z
    .array(z.object({ route: z.string(), mismatch: z.string().nullable() }))
    .describe("Every route that was asked, with what kept the alert from it; null: it took it"),
  silences: names.describe("Ids of the silences in force that it is meant by"),
});
export type RoutedAlert = z.infer<typeof routedAlertSchema>;

const routeJsonSchema = z.object({
  route: z.string().describe("Its place in the tree"),
  depth: z.int().nonnegative().describe("How many routes are around it"),
  matchers: silenceSchema.shape.matchers.describe("Which alerts: all of it must hold; nothing: all of them"),
  to: names.describe("Who is told; nobody: where none"),
  groupBy: names,
  groupWaitMs: ms,
  groupIntervalMs: ms,
  repeatIntervalMs: ms,
  isMuted: z.boolean().describe("It is mute now"),
  goesOn: z.boolean().describe("What it takes goes on to the routes behind it"),
});
export type RouteJson = z.infer<typeof routeJsonSchema>;

/** What `/v1/alert-routes` answers. */
export const alertRoutesSchema = z.object({
  routes: z.array(routeJsonSchema).describe("In the order in which they are asked"),
  tested: routedAlertSchema.nullable().describe("Where the alert goes that was asked for"),
});
export type AlertRoutes = z.infer<typeof alertRoutesSchema>;
