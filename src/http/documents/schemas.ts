import { z } from "zod";
import { alertRoutesSchema } from "../../schemas/alert-routes.ts";
import { alertListSchema } from "../../schemas/alert-schema.ts";
import { assignmentsSchema } from "../../schemas/assignment-schema.ts";
import { consumerSchema } from "../../schemas/consumer-schema.ts";
import { countsSchema } from "../../schemas/counts-schema.ts";
import {
  attemptSchema,
  deadLettersSchema,
  deliveriesSchema,
  deliveryDetailsSchema,
} from "../../schemas/delivery-schema.ts";
import { jobVersionsSchema } from "../../schemas/job-versions-schema.ts";
import { jsonSchemaOf } from "../../schemas/json-schema.ts";
import { reloadReportSchema } from "../../schemas/reload-schema.ts";
import { silenceSchema, silencesSchema } from "../../schemas/routes.ts";
import { sessionSchema } from "../../schemas/session-schema.ts";
import { whySchema } from "../../schemas/why-schema.ts";
import { problemSchema } from "../../schemas/problem-schema.ts";

/** The CloudEvents that leave the server, by the names of their schemas. */
export const EVENT_SCHEMAS = ["change", "control", "object", "frame"] as const;

/** Schemas of what crosses the wire, without the names that only a schema on its own needs. */
export function wireSchemas(): Record<string, object> {
  return {
    ...Object.fromEntries(EVENT_SCHEMAS.map((name) => [name, embedded(jsonSchemaOf(name))])),
    problem: embedded(z.toJSONSchema(problemSchema, { io: "input" })),
    counts: embedded(z.toJSONSchema(countsSchema, { io: "input" })),
    consumer: embedded(z.toJSONSchema(consumerSchema, { io: "input" })),
    deliveries: embedded(z.toJSONSchema(deliveriesSchema, { io: "input" })),
    delivery: embedded(z.toJSONSchema(deliveryDetailsSchema, { io: "input" })),
    attempt: embedded(z.toJSONSchema(attemptSchema, { io: "input" })),
    deadLetters: embedded(z.toJSONSchema(deadLettersSchema, { io: "input" })),
    alerts: embedded(z.toJSONSchema(alertListSchema, { io: "input" })),
    alertRoutes: embedded(z.toJSONSchema(alertRoutesSchema, { io: "input" })),
    silence: embedded(z.toJSONSchema(silenceSchema, { io: "input" })),
    silences: embedded(z.toJSONSchema(silencesSchema, { io: "input" })),
    why: embedded(z.toJSONSchema(whySchema, { io: "input" })),
    assignments: embedded(z.toJSONSchema(assignmentsSchema, { io: "input" })),
    jobVersions: embedded(z.toJSONSchema(jobVersionsSchema, { io: "input" })),
    session: embedded(z.toJSONSchema(sessionSchema, { io: "input" })),
    reload: embedded(z.toJSONSchema(reloadReportSchema, { io: "input" })),
  };
}

function embedded(schema: object): object {
  const { $schema: _schema, $id: _id, ...rest } = schema as { $schema?: string; $id?: string };
  return rest;
}

/** A reference to one of them, in either kind of document. */
export function wireSchema(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}
