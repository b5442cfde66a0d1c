import type { FeedLog } from "../../feed/log.ts";
import { canonicalStub, type TrueState } from "../../../packages/nomad-simulator/src/index.ts";

/**
 * Objects that the log does not know as they truly are: changes that were lost, or not seen yet. Empty once
 * the log has caught up.
 */
export async function wrongObjects(log: FeedLog, truth: TrueState): Promise<string[]> {
  const known = new Map<string, string>();
  await using read = await log.consistentRead();
  for await (const entries of read.entries()) {
    for (const { ref, stub } of entries) {
      known.set(`${ref.resource}/${ref.namespace}/${ref.key}`, canonicalStub(stub.toString()));
    }
  }
  const wrong: string[] = [];
  for (const [resource, objects] of truth) {
    for (const [key, stub] of objects) {
      const subject = `${resource}/${key}`;
      if (known.get(subject) !== stub) wrong.push(subject);
      known.delete(subject);
    }
  }
  return [...wrong, ...known.keys()];
}
