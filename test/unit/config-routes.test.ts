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

/** A file with `slack` and `others` for people and `lines` for events, and these routes from its fifth line on. */
function file(routes: string): string {
  const hook = join(folder, "hook");
  writeFileSync(hook, "https://hooks.example/x");
  const people = (name: string) => `  ${name}: { type: slack, webhook: "file:${hook}" }\n`;
  const path = join(folder, "feed.yaml");
  writeFileSync(
    path,
    `destinations:\n${people("slack")}${people("others")}  lines: { type: stdout }\n${routes}`,
  );
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
  - to: slack
    groupWait: 10s
    routes:
      - { filter: 'severity == ERROR', to: "slack,others", continue: true }
      - where: { namespace: sandbox }
        to: none
        mute: [{ days: [sat, sun], from: "22:00", to: "06:30", timeZone: Europe/Berlin }]
`;

describe("routes of the file", () => {
  it("are read as a tree, with times in ms and windows in minutes of the day", () => {
    const { config } = resolveConfig({ flags: { config: file(ROUTES) }, env: {} });
    expect(config.routes).toEqual([
      {
        to: ["slack"],
        groupWait: 10_000,
        continue: false,
        routes: [
          { filter: "severity == ERROR", to: ["slack", "others"], continue: true },
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
  0         to: slack; groupWait: 10s; continue: false
  0.0       filter: severity == ERROR; to: slack,others; continue: true
  0.1       where.namespace: sandbox; mute.days: sat,sun; mute.from: 22:00; mute.to: 06:30; mute.timeZone: Europe/Berlin; continue: false; to: none
`);
    const shown = JSON.parse((await runCli(["config", "--json", ...flags])).stdout) as { routes: unknown[] };
    expect(shown.routes[0]).toEqual({
      id: "0",
      settings: { to: "slack", groupWait: "10s", continue: "false" },
    });
  });

  it("tell of each mistake with its line and path", () => {
    expect(
      problemsOf(`routes:
  - to: slack
    routes:
      - filter: "severity == = ERROR"
        to: slcak
      - routes:
          - { minSeverity: BAD }
  - rules: Node*
`),
    ).toEqual([
      expect.stringMatching(
        /^feed\.yaml:11: routes\[0\]\.routes\[1\]\.routes\[0\]\.minSeverity: "BAD" is not allowed; allowed: TRACE/,
      ),
      "feed.yaml:12: routes[1].to: is missing; allowed: none, slack, others",
    ]);
    expect(
      problemsOf(`routes:
  - to: slack
    routes:
      - filter: "severity == = ERROR"
        to: slcak
`),
    ).toEqual([
      expect.stringMatching(
        /^feed\.yaml:8: routes\[0\]\.routes\[0\]\.filter: filter, position 13: found "="/,
      ),
      'feed.yaml:9: routes[0].routes[0].to: "slcak" is no destination for people; did you mean slack?; allowed: none, slack, others',
    ]);
    expect(problemsOf("routes:\n  - to: lines\n")).toEqual([
      'feed.yaml:6: routes[0].to: "lines" is no destination for people; allowed: none, slack, others',
    ]);
    expect(problemsOf("routes:\n  to: slack\n")).toEqual([
      "feed.yaml:5: routes: is not a list; allowed: routes, a dash before each",
    ]);
    expect(problemsOf("routes:\n  - { to: slack, mute: [{ timeZone: Mars }] }\n")).toEqual([
      'feed.yaml:6: routes[0].mute[0].timeZone: "Mars" is not allowed; allowed: the name of a time zone, as Europe/Berlin or UTC',
    ]);
  });
});
