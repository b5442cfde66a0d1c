import { specOf } from "../../events/spec/spec-of.ts";
import type { KeptVersion } from "../../events/spec/versions-in.ts";
import { stringField } from "../../schemas/json.ts";
import type { ReadVersions } from "./changed-versions.ts";
import { isSpecWritten, type Finder } from "./finder.ts";

interface SpecFinderDeps {
  readonly versionsOf: ReadVersions;
  /** Takes out of texts about a job what the configuration says must not leave. */
  readonly redact: <Texts extends object>(namespace: string, texts: Texts) => Texts;
}

/** What a job's new version changed, and those that it passed over: `--enrich spec`. */
export function specFinder({ versionsOf, redact }: SpecFinderDeps): Finder {
  return {
    what: "spec",
    // What is launched of a periodic or parameterized job has its specification, and one version.
    wants: (change) => isSpecWritten(change) && (stringField(change.after.value, "ParentID") ?? "") === "",
    find: async (change, signal) => {
      const versions = await versionsOf(change, signal);
      if (typeof versions === "string") return versions;
      const spec = (kept: KeptVersion) => specOf(kept, (texts) => redact(change.ref.namespace, texts));
      return {
        spec: spec(versions.current),
        skipped: versions.skipped.map((kept) => ({ kept, found: { spec: spec(kept) } })),
      };
    },
    without: (unavailable) => ({ spec: { unavailable } }),
  };
}
