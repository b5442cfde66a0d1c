import { isOfProcess } from "../../telemetry/metrics.ts";

/** 1 for each feed that is served, by its name in the label `feed`. @internal */
export const SERVED = "nomad_changefeed_feed_served";

interface Family {
  /** `# HELP` and `# TYPE`. */
  readonly head: readonly string[];
  readonly samples: string[];
}

/**
 * The expositions of several feeds as one: each sample with the label `feed`, each family once, and what is the
 * process's own without the label.
 * @param own of the process
 * @param pages by the name of the feed; undefined: it is not served now
 */
export function mergeMetrics(own: string, pages: ReadonlyMap<string, string | undefined>): string {
  const families = new Map<string, Family>();
  for (const [name, { head, samples }] of familiesOf(own)) {
    if (isOfProcess(name)) families.set(name, { head, samples: [...samples] });
  }
  for (const [feed, page] of pages) {
    for (const [name, { head, samples }] of familiesOf(page ?? "")) {
      if (isOfProcess(name)) continue;
      const family = families.get(name) ?? { head, samples: [] };
      families.set(name, family);
      family.samples.push(...samples.map((sample) => labelled(sample, feed)));
    }
  }
  families.set(SERVED, {
    head: [`# HELP ${SERVED} 1 while the feed is served here`, `# TYPE ${SERVED} gauge`],
    samples: [...pages].map(([feed, page]) => `${SERVED}{feed="${feed}"} ${page === undefined ? 0 : 1}`),
  });
  return `${[...families.values()].map(({ head, samples }) => [...head, ...samples].join("\n")).join("\n\n")}\n`;
}

/** The families of a page by name; samples of a histogram have other names than their family, and stand below it. */
function familiesOf(page: string): Map<string, Family> {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  let family: { head: string[]; samples: string[] } | undefined;
  for (const line of page.split("\n")) {
    if (line === "") continue;
    const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1];
    if (name === undefined) {
      family?.samples.push(line);
      continue;
    }
    family = families.get(name) ?? { head: [], samples: [] };
    families.set(name, family);
    family.head.push(line);
  }
  return families;
}

/** Names of feeds have no character that a label would need to escape. */
function labelled(sample: string, feed: string): string {
  const [metric = ""] = /^[^{ ]+/.exec(sample) ?? [];
  const rest = sample.slice(metric.length);
  return rest.startsWith("{")
    ? `${metric}{feed="${feed}",${rest.slice(1)}`
    : `${metric}{feed="${feed}"}${rest}`;
}
