import { isNamed, RESOURCES, subjectOf } from "../../schemas/resources.ts";
import type { Io } from "../io.ts";
import { feedObjects } from "./feed-objects.ts";
import type { FeedAddress } from "./feed-request.ts";
import { WHOLE_ID } from "../../shared/short-id.ts";
import type { ObjectSelector } from "./object-selector.ts";
import { UsageError } from "./usage-error.ts";

const PART_OF_ID = /^[0-9a-f-]{2,36}$/;
/** Names in an error. */
const NAMED = 10;

interface Wanted extends ObjectSelector {
  readonly namespace: string | undefined;
  /** As of then. */
  readonly at: string | undefined;
}

/**
 * The subject, `allocations/default/5456bd7a-…`, of what people call `allocation/5456bd7a`: by the state of the feed
 * where the namespace or the end of the id is not given. What is not there any more has to be named whole.
 * @throws UsageError where none or several are meant; what feedObjects throws
 */
export async function findSubject(address: FeedAddress, wanted: Wanted, io: Io): Promise<string> {
  const { resource, key, namespace, at } = wanted;
  const { namespaced, noun } = RESOURCES[resource];
  const byId = !isNamed(resource);
  const place = namespaced ? namespace : "-";
  const isWhole = !byId || WHOLE_ID.test(key);
  if (isWhole && place !== undefined) return subjectOf({ resource, namespace: place, key });
  if (byId && !PART_OF_ID.test(key)) {
    throw new UsageError(`${JSON.stringify(key)} is no id of ${resource}, nor the beginning of one`, {
      hint: `\`nomad-changefeed state --types ${resource}\` lists them with their names`,
    });
  }
  const found = await subjectsLike(address, wanted, io);
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only;
  if (found.length > 1) {
    const what = isWhole
      ? `There are ${found.length} in several namespaces`
      : `${found.length} ${resource} begin with ${key}`;
    const more = found.length > NAMED ? " …" : "";
    throw new UsageError(what, {
      hint: `${isWhole ? "Choose one by --namespace" : "Write more of the id"}: ${found.slice(0, NAMED).join(", ")}${more}`,
    });
  }
  const where = namespace === undefined ? "" : ` in ${namespace}`;
  throw new UsageError(`There is no ${noun} ${key}${where}${at === undefined ? "" : ` at ${at}`}`, {
    hint: `One that is gone has to be named whole: ${noun}/<id>${namespaced ? " with --namespace" : ""}; history shows what the log has`,
  });
}

async function subjectsLike(address: FeedAddress, wanted: Wanted, io: Io): Promise<string[]> {
  const { resource, key, namespace, at } = wanted;
  const { keyField } = RESOURCES[resource];
  const byId = !isNamed(resource);
  // The ids of Nomad have no sign that a regular expression or a text would mistake.
  const filter = byId ? `${keyField} matches "^${key}"` : `${keyField} == ${JSON.stringify(key)}`;
  const subjects: string[] = [];
  await feedObjects(address, { types: resource, namespaces: namespace, at, filter }, io, async (json) => {
    subjects.push((JSON.parse(json) as { subject: string }).subject);
  });
  return subjects;
}
