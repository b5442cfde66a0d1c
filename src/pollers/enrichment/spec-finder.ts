import { specOf } from "../../events/spec/spec-of.ts";
import type { JobVersionsReader } from "../../nomad/job-versions.ts";
import { integerText, stringField } from "../../schemas/json.ts";
import { isSpecWritten, specIndexOf, type Finder } from "./finder.ts";

interface SpecFinderDeps {
  readonly versions: Pick<JobVersionsReader, "read">;
  /** Takes out of texts about a job what the configuration says must not leave. */
  readonly redact: <Texts extends object>(namespace: string, texts: Texts) => Texts;
}

/** What a job's new version changed, and those since the event before: `--enrich spec`. */
export function specFinder({ versions, redact }: SpecFinderDeps): Finder {
  return {
    what: "spec",
    // What is launched of a periodic or parameterized job has its specification, and one version.
    wants: (change) => isSpecWritten(change) && (stringField(change.after.value, "ParentID") ?? "") === "",
    find: async (change, signal) => {
      const { namespace, key: job } = change.ref;
      const answer = await versions.read({ namespace, job, as: "feed" }, signal);
      if (answer.kind === "none") return "Nomad has the job no longer";
      if (answer.kind === "too-large") return "Nomad's answer is too large";
      const span = {
        current: specIndexOf(change),
        previous: integerText(change.before?.value["JobModifyIndex"]),
      };
      const spec = specOf(answer.found, span, (texts) => redact(namespace, texts));
      return spec === undefined ? "Nomad does not keep this version" : { spec };
    },
    without: (unavailable) => ({ spec: { unavailable } }),
  };
}
