import { z } from "zod";
import { field, noted } from "./destinations/fields.ts";
import { SEVERITY_NAMES } from "./severity.ts";
import { choice, duration, list, text, toggle, type ValueType } from "./value-types.ts";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const PATTERNS = {
  allowed: "names, with * for anything, and ! before what is not meant",
  schema: z.string().min(1),
};
const patterns = (what: string) => field(list("<patterns>", PATTERNS), what).optional();

const timeOfDay: ValueType<number> = {
  placeholder: "<time>",
  allowed: "a time of day, as 07:30; 24:00 is the end of the day",
  schema: z
    .string()
    .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/)
    .transform((given) => Number(given.slice(0, 2)) * 60 + Number(given.slice(3))),
  print: (minutes) =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`,
};

/** A time in which nothing is sent; what changed is told when it is over. */
const muteSchema = z.strictObject({
  days: field(
    list("<days>", { allowed: DAYS.join(", "), schema: z.enum(DAYS) }),
    "Absent: every day",
  ).optional(),
  from: field(timeOfDay, "When it begins").prefault("00:00"),
  to: field(timeOfDay, "When it ends; before `from`: on the next day").prefault("24:00"),
  timeZone: noted(z.string().refine(isTimeZone).describe("By name, as Europe/Berlin"), {
    allowed: "the name of a time zone, as Europe/Berlin or UTC",
  }).prefault("UTC"),
});
export type MuteWindow = z.infer<typeof muteSchema>;

/** What says which alerts are meant: all of it must hold. */
export const matchers = {
  rules: patterns("Rules that it is for, as Node*"),
  minSeverity: field(choice(SEVERITY_NAMES), "Least severity").optional(),
  where: noted(
    z
      .record(z.string().regex(/^\w+$/), field(list("<patterns>", PATTERNS), "What the label is"))
      .describe("What labels are, as namespace: prod")
      .optional(),
    { allowed: `labels, each with ${PATTERNS.allowed}` },
  ),
  filter: field(text("<expression>"), "An expression of the filter language (docs/alerting.md)").optional(),
};

/** Which alerts are meant. What is absent means all. */
const matchersSchema = z.strictObject(matchers);
export type Matchers = z.infer<typeof matchersSchema>;

const DESTINATIONS = list("<names>", {
  allowed: "names of destinations for people",
  schema: z.string().min(1),
});

/** What a route inherits from the one around it where it does not say otherwise. */
const inherited = {
  to: noted(
    z
      .union([z.literal("none").transform((): readonly string[] => []), DESTINATIONS.schema])
      .describe("Who is told; none: nobody"),
    { allowed: `none, or ${DESTINATIONS.allowed}` },
  ).optional(),
  groupBy: field(
    list("<labels>", { allowed: "names of labels", schema: z.string().regex(/^\w+$/) }),
    "Alerts that have these labels in common are told of together",
  ).optional(),
  groupWait: field(duration(), "How long the first of a group waits for others").optional(),
  groupInterval: field(duration(), "How long after one message the next may tell what changed").optional(),
  repeatInterval: field(duration({ minMs: 60_000 }), "When what still fires is told again").optional(),
  mute: noted(z.array(muteSchema).describe("When nothing is sent").optional(), {
    allowed: "windows, a dash before each: days, from, to, timeZone",
  }),
};

const oneRouteSchema = z.strictObject({
  ...matchers,
  ...inherited,
  continue: field(toggle(), "Go on to the routes behind it").prefault(false),
});
export interface RouteSettings extends z.infer<typeof oneRouteSchema> {
  readonly routes?: readonly RouteSettings[] | undefined;
}

/** One of `routes:` of the configuration file. */
export const routeSchema: z.ZodType<RouteSettings> = oneRouteSchema
  .extend({
    routes: noted(
      z
        .lazy(() => z.array(routeSchema))
        .describe("Looked at first, for what comes this way")
        .optional(),
      { allowed: "routes, a dash before each" },
    ),
  })
  .meta({ id: "route" });

/** Alerts that nobody wants to hear of for a while. Kept in the log's store. */
export const silenceSchema = z.object({
  id: z.string().min(1),
  matchers: matchersSchema.describe("Which alerts: all of it must hold"),
  startsAt: z.iso.datetime({ offset: true }),
  endsAt: z.iso.datetime({ offset: true }),
  comment: z.string().describe("Why, for people"),
  createdBy: z.string().describe("Whose token it was"),
});
export const silencesSchema = z.object({
  silences: z.array(silenceSchema).describe("Those in force, oldest first"),
});
export type Silence = z.infer<typeof silenceSchema>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
