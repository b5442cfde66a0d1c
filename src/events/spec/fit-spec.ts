import type { SpecFound, SpecVersion } from "../../schemas/enrichment-schema.ts";
import { jsonText } from "../../schemas/line-safe.ts";

/** What of a specification's changes has room, the newest version's first; `omitted` counts the others. */
export function fitSpec(spec: SpecFound, maxBytes: number): SpecFound {
  const { skipped, ...own } = spec;
  const bare = { ...without(own), ...(skipped && { skipped: skipped.map(without) }) };
  let room = maxBytes - Buffer.byteLength(jsonText(bare));
  const fitted = (version: SpecVersion): SpecVersion => {
    if (version.diff === null) return version;
    const { changes, omitted } = version.diff;
    const fitting = changes.filter((change) => {
      const bytes = Buffer.byteLength(jsonText(change)) + 1;
      if (bytes > room) return false;
      room -= bytes;
      return true;
    });
    return { ...version, diff: { changes: fitting, omitted: omitted + changes.length - fitting.length } };
  };
  return { ...fitted(own), ...(skipped && { skipped: skipped.map(fitted) }) };
}

function without(version: SpecVersion): SpecVersion {
  const { diff } = version;
  return { ...version, diff: diff && { changes: [], omitted: diff.omitted + diff.changes.length } };
}
