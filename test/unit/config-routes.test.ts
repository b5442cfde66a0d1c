import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigInvalid } from "../../src/config/errors.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { runCli } from "../support/cli.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ncf-routes-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with the destinations `lines` and `others`, and these routes from its fourth line on. */
function file(routes: string): string {
  const path = join(folder, "feed.yaml");
  writeFileSync(path, `destinations:\n  lines: { type: stdout }\n  others: { type: stdout }\n${routes}`);
  return path;
}

function problemsOf(routes: string): readonly string[] {
  try {
    resolveConfig({ flags: { config: file(routes) }, env: {} });
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems.map((one) => one.replaceAll(`${folder}/`, ""));
    throw error;
  }
  return [];
}

const ROUTES = `routes:
  - to: lines
    groupWait: 10s
    routes:
      - { filter: 'severity == ERROR', to: "lines,others", continue: true }
      - where: { namespace: sandbox }
        to: none
        mute: [{ days: [sat, sun], from: "22:00", to: "06:30", timeZone: Europe/Berlin }]
`;

describe("routes of the file", () => {
  it("are read as a tree, with times in ms and windows in minutes of the day", () => {
    const { config } = resolveConfig({ flags: { config: file(ROUTES) }, env: {} });
    expect(config.routes).toEqual([
      {
        to: ["lines"],
        groupWait: 10_000,
        continue: false,
        routes: [
          { filter: "severity == ERROR", to: ["lines", "others"], continue: true },
          {
            where: { namespace: ["sandbox"] },
            to: [],
            continue: false,
            mute: [{ days: ["sat", "sun"], from: 22 * 60, to: 6 * 60 + 30, timeZone: "Europe/Berlin" }],
          },
        ],
      },
    ]);
  });

  it("are shown by `config` as they are written", async () => {
    const flags = ["--config", file(ROUTES)];
    const { stdout } = await runCli(["config", ...flags]);
    expect(stdout).toContain(`Routes
  0         to: lines; groupWait: 10s; continue: false
  0.0       filter: severity == ERROR; to: lines,others; continue: true
  0.1       where.namespace: sandbox; mute.days: sat,sun; mute.from: 22:00; mute.to: 06:30; mute.timeZone: Europe/Berlin; continue: false; to: none
`);
    const shown = JSON.parse((await runCli(["config", "--json", ...flags])).stdout) as { routes: unknown[] };
    expect(shown.routes[0]).toEqual({
      id: "0",
      settings: { to: "lines", groupWait: "10s", continue: "false" },
    });
  });

  it("tell of each mistake with its line and path", () => {
    expect(
      problemsOf(`routes:
  - to: lines
    routes:
      - filter: "severity == = ERROR"
        to: lynes
      - routes:
          - { minSeverity: BAD }
  - rules: Node*
`),
    ).toEqual([
      expect.stringMatching(
        /^feed\.yaml:10: routes\[0\]\.routes\[1\]\.routes\[0\]\.minSeverity: "BAD" is not allowed; allowed: TRACE/,
      ),
      "feed.yaml:11: routes[1].to: is missing; allowed: none, lines, others",
    ]);
    expect(
      problemsOf(`routes:
  - to: lines
    routes:
      - filter: "severity == = ERROR"
        to: lynes
`),
    ).toEqual([
      expect.stringMatching(
        /^feed\.yaml:7: routes\[0\]\.routes\[0\]\.filter: filter, position 13: found "="/,
      ),
      'feed.yaml:8: routes[0].routes[0].to: there is no destination "lynes"; did you mean lines?; allowed: none, lines, others',
    ]);
    expect(problemsOf("routes:\n  to: lines\n")).toEqual([
      "feed.yaml:4: routes: is not a list; allowed: routes, a dash before each",
    ]);
    expect(problemsOf("routes:\n  - { to: lines, mute: [{ timeZone: Mars }] }\n")).toEqual([
      'feed.yaml:5: routes[0].mute[0].timeZone: "Mars" is not allowed; allowed: the name of a time zone, as Europe/Berlin or UTC',
    ]);
  });
});
