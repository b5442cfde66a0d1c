import type { ObjectRef, Resource } from "../schemas/resources.ts";
import { DEFAULT_SLICE_BYTES } from "./diff.ts";
import { nonNumberAt } from "./element-scan.ts";
import { stringAt } from "./json-text.ts";
import { ListReader, type ListOrigin } from "./list-reader.ts";
import { refFrom } from "./raw-snapshot.ts";

/** A list as it is read, and its objects that had a number JSON does not know. */
export interface MendedList {
  readonly body: Buffer;
  readonly nonNumbers: readonly ObjectRef[];
}

const NULL = Buffer.from("null");

/**
 * What older Nomads write otherwise, written as newer ones do: a job of a list of one namespace says which one it
 * is (Nomad 1.0 left that out), and a score that is no number (`-Inf`, `+Inf`, `NaN`, up to Nomad 1.4) is null, as
 * in other writers of JSON. All else keeps its bytes.
 * @throws MalformedList
 */
export function* mendInSlices(
  resource: Resource,
  body: Buffer,
  origin: ListOrigin,
  sliceBytes: number = DEFAULT_SLICE_BYTES,
): Generator<void, MendedList> {
  const reader = new ListReader(resource, body, { ...origin, mends: true });
  const missing = Buffer.from(`"Namespace":${JSON.stringify(origin.namespace)},`);
  const pieces: Buffer[] = [];
  const nonNumbers: ObjectRef[] = [];
  let copied = 0;
  const put = (at: number, replaced: number, text: Buffer): void => {
    pieces.push(body.subarray(copied, at), text);
    copied = at + replaced;
  };
  let pauseAt = sliceBytes;
  while (reader.hasElement()) {
    const element = reader.readElement();
    const lacksNamespace = resource.namespaced && element.namespaceAt === 0;
    if (lacksNamespace) put(element.start + 1, 0, missing);
    for (const at of element.nonNumbers) put(at, nonNumberAt(body, at), NULL);
    if (element.nonNumbers.length > 0) {
      const { namespace = "" } = origin;
      nonNumbers.push(
        lacksNamespace
          ? { resource: resource.type, namespace, key: stringAt(body, element.keyAt) }
          : refFrom(resource, body, element),
      );
    }
    if (reader.at < pauseAt) continue;
    pauseAt = reader.at + sliceBytes;
    yield;
  }
  pieces.push(body.subarray(copied));
  return { body: Buffer.concat(pieces), nonNumbers };
}
