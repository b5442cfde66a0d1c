import { originalText } from "nomad-changefeed-client";
import { api } from "../../feed/api.ts";
import { useLoaded, type Loaded } from "../../feed/use-loaded.ts";
import { parseExact } from "../../words/exact-json.ts";
import type { Stub } from "./stubs.ts";
import type { Version } from "./versions.ts";

/** The object after an event, where the event was too large to hold it: read apart from it. */
export function useWholeStub(version: Version): Loaded<Stub | undefined> {
  return useLoaded(version.facts.cursor, async (gone) => {
    const data = await api(gone).data(version.facts.cursor);
    const { after, before } = parseExact(originalText(data)) as { after?: Stub; before?: Stub };
    return after ?? before;
  });
}
