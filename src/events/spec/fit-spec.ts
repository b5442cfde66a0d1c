import type { SpecVersion } from "../../schemas/enrichment-schema.ts";
import { jsonText } from "../../schemas/line-safe.ts";

/** What of a specification's changes has room; `omitted` counts the others. */
export function fitSpec(spec: SpecVersion, maxBytes: number): SpecVersion {
  if (spec.diff === null) return spec;
  const { changes, omitted } = spec.diff;
  const bare = { ...spec, diff: { changes: [], omitted: omitted + changes.length } };
  let room = maxBytes - Buffer.byteLength(jsonText(bare));
  const fitting = changes.filter((change) => {
    const bytes = Buffer.byteLength(jsonText(change)) + 1;
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
  return { ...spec, diff: { changes: fitting, omitted: omitted + changes.length - fitting.length } };
}
