import { z } from "zod";
import { indexes, text } from "./values.ts";

export const ENTERPRISE_STUBS = {
  quotas: z.looseObject({ Name: text, Description: text.optional(), ...indexes }),
  "sentinel-policies": z.looseObject({
    Name: text,
    Description: text.optional(),
    Scope: text.optional(),
    EnforcementLevel: text.optional(),
    ...indexes,
  }),
  recommendations: z.looseObject({
    ID: text,
    Namespace: text,
    JobID: text.optional(),
    Group: text.optional(),
    Task: text.optional(),
    Resource: text.optional(),
    Value: z.number().optional(),
    ...indexes,
  }),
};
