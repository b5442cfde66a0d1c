import type { FeedLog } from "../../feed/log.ts";
import type { Access } from "../../publishers/selection/access.ts";
import type { ReadTask } from "../../publishers/work/read-scheduler.ts";
import type { Moment } from "../../schemas/read-queries.ts";
import type { ObjectRef } from "../../schemas/resources.ts";
import type { Why } from "../../schemas/why-schema.ts";
import { NoObject } from "../errors.ts";
import type { PastStates } from "../past-states.ts";
import { explain } from "./explain.ts";
import { gatherFacts } from "./gather.ts";

interface Question {
  readonly subject: ObjectRef;
  /** Absent: now. */
  readonly at?: Moment;
  readonly access: Access;
  readonly task: ReadTask;
}

/**
 * Why an object is as it is, or was: what led to it, as far as log and state tell and the reader may see.
 * @throws NoObject; TooCostly; what PastStates.at throws
 */
export async function whyOf(
  { log, past }: { readonly log: FeedLog; readonly past: Pick<PastStates, "at"> },
  { subject, at, access, task }: Question,
): Promise<Why> {
  await using read = await (at === undefined ? log.consistentRead() : past.at(at));
  const facts = await gatherFacts({ log, read, task, access }, subject);
  if (facts === undefined) throw new NoObject(subject);
  return explain(facts);
}
