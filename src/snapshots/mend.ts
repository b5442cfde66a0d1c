import type { Resource } from "../schemas/resources.ts";
import { DEFAULT_SLICE_BYTES } from "./diff.ts";
import { nonNumberAt } from "./element-scan.ts";
import { ListReader, type ListOrigin } from "./list-reader.ts";

/** A list as it is read, and its objects that had a number JSON does not know. */
export interface MendedList {
  readonly body: Buffer;
  /** Their positions in the list. */
  readonly oddRows: readonly number[];
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
  const namespace = Buffer.from(`"Namespace":${JSON.stringify(origin.namespace)},`);
  const pieces: Buffer[] = [];
  const oddRows: number[] = [];
  let copied = 0;
  const put = (at: number, replaced: number, text: Buffer): void => {
    pieces.push(body.subarray(copied, at), text);
    copied = at + replaced;
  };
  let pauseAt = sliceBytes;
  for (let row = 0; reader.hasElement(); row += 1) {
    const element = reader.readElement();
    const lacksNamespace = resource.namespaced && element.namespaceAt === 0;
    if (lacksNamespace) put(element.start + 1, 0, namespace);
    for (const at of element.nonNumbers) put(at, nonNumberAt(body, at), NULL);
    if (element.nonNumbers.length > 0) oddRows.push(row);
    if (reader.at < pauseAt) continue;
    pauseAt = reader.at + sliceBytes;
    yield;
  }
  pieces.push(body.subarray(copied));
  return { body: Buffer.concat(pieces), oddRows };
}
