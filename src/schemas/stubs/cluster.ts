import { z } from "zod";
import { count, flag, index, strings, text, time } from "./values.ts";

export const CLUSTER_STUBS = {
  servers: z.looseObject({
    Name: text,
    Addr: text,
    Port: count,
    Status: text.describe("alive, leaving, left, failed"),
    Leader: flag.describe("Whether it leads the region's servers"),
    Tags: z.record(text, text).nullable().describe("build: its version"),
  }),
  autopilot: z.looseObject({
    Name: text,
    Healthy: flag,
    FailureTolerance: count,
    Leader: text.optional(),
    Voters: strings.optional(),
    Servers: z
      .record(
        text,
        z.looseObject({
          ID: text,
          Name: text,
          Address: text,
          SerfStatus: text,
          Version: text,
          Leader: flag,
          Healthy: flag,
          Voter: flag,
          StableSince: text,
        }),
      )
      .describe("By their names"),
  }),
  scheduler: z.looseObject({
    Name: text,
    SchedulerAlgorithm: text.describe("binpack, spread").optional(),
    PreemptionConfig: z.record(text, flag).nullable().optional(),
    MemoryOversubscriptionEnabled: flag.optional(),
    RejectJobRegistration: flag.optional(),
    PauseEvalBroker: flag.optional(),
    CreateIndex: index.optional(),
    ModifyIndex: index.optional(),
  }),
  license: z.looseObject({
    Name: text,
    ConfigOutdated: flag,
    LicenseID: text.optional(),
    ExpirationTime: time.optional(),
    TerminationTime: time.optional(),
    Terminated: flag.optional(),
  }),
};
