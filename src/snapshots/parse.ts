import type { Resource } from "../schemas/resources.ts";
import { DEFAULT_SLICE_BYTES } from "./diff.ts";
import { ListReader, NeedsMending, type ListOrigin } from "./list-reader.ts";
import { mendInSlices } from "./mend.ts";
import { RawList } from "./raw-list.ts";
import { Rows } from "./rows.ts";

/** @throws MalformedList, NeedsMending */
function* readInSlices(
  resource: Resource,
  body: Buffer,
  sliceBytes: number = DEFAULT_SLICE_BYTES,
  origin: ListOrigin = {},
): Generator<void, RawList> {
  const reader = new ListReader(resource, body, origin);
  const rows = new Rows(0);
  let pauseAt = sliceBytes;
  while (reader.hasElement()) {
    rows.add(reader.readElement());
    if (reader.at < pauseAt) continue;
    pauseAt = reader.at + sliceBytes;
    yield;
  }
  const list = new RawList(resource, body, rows);
  list.assertDistinct();
  return list;
}

/** The same, mended where it has to be. `oddRows` had a number JSON does not know. @throws MalformedList */
export function* readAnyInSlices(
  resource: Resource,
  body: Buffer,
  sliceBytes: number = DEFAULT_SLICE_BYTES,
  origin: ListOrigin = {},
): Generator<void, { readonly list: RawList; readonly oddRows: readonly number[] }> {
  try {
    return { list: yield* readInSlices(resource, body, sliceBytes, origin), oddRows: [] };
  } catch (error) {
    if (!(error instanceof NeedsMending)) throw error;
  }
  const { body: mended, oddRows } = yield* mendInSlices(resource, body, origin, sliceBytes);
  return { list: yield* readInSlices(resource, mended, sliceBytes), oddRows };
}

/** A list made of stubs. @throws MalformedList */
export function* joinInSlices(
  resource: Resource,
  stubs: readonly Buffer[],
  sliceBytes: number = DEFAULT_SLICE_BYTES,
): Generator<void, RawList> {
  const size = stubs.reduce((total, stub) => total + stub.length + 1, 2);
  const body = Buffer.allocUnsafeSlow(size);
  let end = body.write("[");
  let pauseAt = end + sliceBytes;
  for (const stub of stubs) {
    if (end > 1) end += body.write(",", end);
    end += stub.copy(body, end);
    if (end < pauseAt) continue;
    pauseAt = end + sliceBytes;
    yield;
  }
  end += body.write("]", end);
  return yield* readInSlices(resource, body.subarray(0, end), sliceBytes);
}
