/** `node scripts/test-summary.ts <vitest's JSON report> <its exit code>`: see `summaryOf`. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** A line for each reason. */
  readonly reasons: readonly string[];
}

/** What a run came to. A file that cannot be loaded, and an error outside of any test, count as failed. */
export function summaryOf({ testResults }: TestReport, exitCode: number): TestSummary {
  const tests = testResults.flatMap(({ assertionResults, name, status }) =>
    assertionResults.map((test) => ({
      ...test,
      unexplained: status === "failed" ? `${name} failed before them` : `${name} does not say why`,
    })),
  );
  const count = (status: string) => tests.filter((test) => test.status === status).length;
  const unloaded = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const failed = count("failed") + unloaded.length;
  const skipped = tests.filter(({ status }) => status !== "passed" && status !== "failed");
  const byReason = Map.groupBy(skipped, ({ ancestorTitles, title, unexplained }) => {
    const reasons = [...ancestorTitles, title].map((text) => / \(skipped: (.*)\)$/s.exec(text)?.[1]);
    return reasons.find((reason) => reason !== undefined) ?? unexplained;
  });
  return {
    passed: count("passed"),
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: skipped.length,
    reasons: [...byReason].map(([reason, { length }]) => `skipped ${length}: ${reason}`),
  };
}

function readReport(path: string): TestReport {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as TestReport;
  } catch {
    return { testResults: [] };
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [path = "", exitCode = "1"] = process.argv.slice(2);
  const here = `${process.cwd()}/`;
  const { passed, failed, skipped, reasons } = summaryOf(readReport(path), Number(exitCode));
  process.stdout.write(`${[`${passed} ${failed} ${skipped}`, ...reasons].join("\n").replaceAll(here, "")}\n`);
}
