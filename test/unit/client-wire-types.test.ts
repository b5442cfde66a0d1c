import type { Why } from "../../src/schemas/why-schema.ts";
import { describe, expectTypeOf, it } from "vitest";
import type { z } from "zod";
import type * as answers from "../../packages/client/src/answers.ts";
import type { NomadStub } from "../../packages/client/src/nomad-stubs.ts";
import type { SubscribeOptions } from "../../packages/client/src/options.ts";
import type { Problem } from "../../packages/client/src/request-failed.ts";
import type * as wire from "../../packages/client/src/wire.ts";
import type { AlertRoutes } from "../../src/schemas/alert-routes.ts";
import type { AlertList } from "../../src/schemas/alert-schema.ts";
import type { AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import type { ConsumerStatus } from "../../src/schemas/consumer-schema.ts";
import type { controlEventSchema } from "../../src/schemas/control-schema.ts";
import type {
  Attempt,
  DeliveryDetails,
  DeliveryStatus,
  ParkedEvent,
} from "../../src/schemas/delivery-schema.ts";
import type { Counts } from "../../src/schemas/counts-schema.ts";
import type { changeEventSchema } from "../../src/schemas/event-schema.ts";
import type { frameSchema, objectFrameSchema } from "../../src/schemas/frames-schema.ts";
import type { STUB_SCHEMAS } from "../../src/schemas/nomad-stubs.ts";
import type { JobVersionList } from "../../src/schemas/job-versions-schema.ts";
import type { Problem as ServerProblem } from "../../src/schemas/problem-schema.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import type { Silence } from "../../src/schemas/routes.ts";
import type { SessionAnswer } from "../../src/schemas/session-schema.ts";
import type { EventConditions, OnExpired, Payload } from "../../src/schemas/subscription-schema.ts";

/** An object type member by member, however it was put together: `A & B` and one of all members are the same then. */
type Flat<T> = T extends object ? { [Name in keyof T]: Flat<T[Name]> } : T;

/** Held to by the type checker (`npm run typecheck`): the client has types of its own, so that it needs no zod. */
describe("the client's types of what is on the wire are those of the server's schemas", () => {
  it("for changes", () => {
    expectTypeOf<Flat<wire.ChangeEvent>>().toEqualTypeOf<Flat<z.infer<typeof changeEventSchema>>>();
  });

  it("for control events", () => {
    expectTypeOf<Flat<wire.ControlEvent>>().toEqualTypeOf<Flat<z.infer<typeof controlEventSchema>>>();
  });

  it("for what exists on a connection only", () => {
    expectTypeOf<Flat<wire.ConnectionFrame>>().toEqualTypeOf<Flat<z.infer<typeof frameSchema>>>();
    expectTypeOf<Flat<wire.ObjectFrame>>().toEqualTypeOf<Flat<z.infer<typeof objectFrameSchema>>>();
  });

  it("for each resource's stub", () => {
    expectTypeOf<wire.ResourceType>().toEqualTypeOf<ResourceType>();
    type Schemas = typeof STUB_SCHEMAS;
    expectTypeOf<Flat<{ [Type in ResourceType]: NomadStub<Type> }>>().toEqualTypeOf<
      Flat<{ [Type in ResourceType]: z.infer<Schemas[Type]> }>
    >();
  });

  it("for what routes answer as JSON", () => {
    expectTypeOf<Flat<answers.Alerts>>().toEqualTypeOf<Flat<AlertList>>();
    expectTypeOf<Flat<answers.AlertRoutes>>().toEqualTypeOf<Flat<AlertRoutes>>();
    expectTypeOf<Flat<answers.JobVersions>>().toEqualTypeOf<Flat<JobVersionList>>();
    expectTypeOf<Flat<answers.Session>>().toEqualTypeOf<Flat<SessionAnswer>>();
    expectTypeOf<Flat<answers.Counts>>().toEqualTypeOf<Flat<Counts>>();
    expectTypeOf<Flat<answers.Silence>>().toEqualTypeOf<Flat<Silence>>();
    expectTypeOf<Flat<answers.Assignment>>().toEqualTypeOf<Flat<AssignmentStatus>>();
    expectTypeOf<Flat<answers.Consumer>>().toEqualTypeOf<Flat<ConsumerStatus>>();
    expectTypeOf<Flat<answers.Delivery>>().toEqualTypeOf<Flat<DeliveryStatus>>();
    expectTypeOf<Flat<answers.DeliveryDetails>>().toEqualTypeOf<Flat<DeliveryDetails>>();
    expectTypeOf<Flat<answers.Attempt>>().toEqualTypeOf<Flat<Attempt>>();
    expectTypeOf<Flat<answers.Why>>().toEqualTypeOf<Flat<Why>>();
    expectTypeOf<Flat<answers.DeadLetter>>().toEqualTypeOf<Flat<ParkedEvent>>();
  });

  it("for refusals", () => {
    expectTypeOf<keyof Problem>().toEqualTypeOf<keyof ServerProblem | "closeCode">();
    expectTypeOf<ServerProblem>().toExtend<{ [Name in keyof Problem]: Problem[Name] | undefined }>();
  });

  it("for what can be asked for", () => {
    type Conditions = Omit<EventConditions, "filters">;
    expectTypeOf<Omit<Pick<SubscribeOptions, keyof Conditions>, "types">>().toEqualTypeOf<
      Omit<Conditions, "types">
    >();
    expectTypeOf<NonNullable<SubscribeOptions["payload"]>>().toEqualTypeOf<Payload>();
    expectTypeOf<Exclude<SubscribeOptions["onexpired"], Function | undefined>>().toEqualTypeOf<OnExpired>();
  });
});
