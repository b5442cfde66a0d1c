import { z } from "zod";
import { flag, hash, indexes, strings, text, times } from "./values.ts";

export const WORKLOAD_STUBS = {
  "node-pools": z.looseObject({
    Name: text,
    Description: text,
    Meta: z.record(text, text).nullable().optional(),
    SchedulerConfiguration: z.looseObject({}).nullable().optional(),
    Hash: hash,
    ...indexes,
  }),
  services: z.looseObject({
    Namespace: text,
    ServiceName: text,
    Tags: strings.describe("Of all that are registered under this name, sorted"),
  }),
  variables: z.looseObject({ Namespace: text, Path: text, ...indexes, ...times }),
  "scaling-policies": z.looseObject({
    ID: text,
    Namespace: text,
    Job: text,
    Group: text,
    Enabled: flag,
    Type: text.describe("horizontal, vertical_mem, vertical_cpu"),
    Target: z.record(text, text).nullable(),
    ...indexes,
  }),
};
