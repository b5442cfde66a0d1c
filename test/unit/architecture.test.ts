import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { moduleOf, sourceFiles } from "../support/sources.ts";

/** What each module may import besides itself: along the flow from Nomad to the subscribers, never against it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  schemas: ["client", "shared"],
  snapshots: ["schemas", "shared"],
  events: ["schemas", "shared"],
  filters: ["schemas", "shared"],
  alerts: ["filters", "schemas", "shared"],
  routing: ["filters", "schemas", "shared"],
  telemetry: ["schemas", "shared"],
  tlog: ["schemas", "shared"],
  nomad: ["schemas", "telemetry", "shared"],
  feed: ["schemas", "telemetry", "shared"],
  coordination: ["feed", "schemas", "telemetry", "shared"],
  pollers: ["nomad", "snapshots", "events", "feed", "coordination", "schemas", "telemetry", "shared"],
  publishers: ["alerts", "feed", "filters", "routing", "schemas", "telemetry", "shared", "tlog"],
  client: [],
  reads: ["alerts", "events", "snapshots", "publishers", "feed", "filters", "schemas", "shared"],
  http: ["reads", "publishers", "feed", "tlog", "schemas", "telemetry", "shared"],
  "nomad-simulator": ["schemas"],
  config: ["alerts", "routing", "tlog", "schemas", "telemetry", "shared"],
  bridge: [
    "alerts",
    "config",
    "coordination",
    "events",
    "feed",
    "http",
    "nomad",
    "pollers",
    "publishers",
    "reads",
    "schemas",
    "telemetry",
    "shared",
  ],
  "main.ts": ["commands", "node-version.ts"],
  "node-version.ts": [],
};

const PURE_MODULES = ["schemas", "snapshots", "events", "filters", "alerts", "routing", "tlog"];
/** Packages of others that pure modules may use: they compute and no more. */
const PURE_PACKAGES = ["node:crypto", "zod"];

interface Import {
  readonly file: string;
  readonly module: string;
  readonly target: string;
  /** Gone in the built files. */
  readonly isTypeOnly: boolean;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^"';]*?\sfrom\s)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;

const files = sourceFiles();
const imports: readonly Import[] = files.flatMap(({ path, module, text }) =>
  [...text.matchAll(IMPORT)].map((match) => ({
    file: path,
    module,
    target: (match[1] ?? match[2]) as string,
    isTypeOnly: /^\s*(import|export) type\s/.test(match[0]),
  })),
);

/** `src/events/build.ts → src/schemas/json.ts`, for the failure's text. */
function arrow({ file, target }: Import): string {
  return `${file} → ${target.startsWith(".") ? normalize(join(dirname(file), target)) : target}`;
}

describe("the modules", () => {
  it("are all known here", () => {
    const modules = new Set(files.map(({ module }) => module));
    expect(
      [...modules].filter((module) => module !== "commands" && MAY_IMPORT[module] === undefined),
    ).toEqual([]);
  });

  it("import only along the flow", () => {
    const across = imports
      .filter(({ target }) => target.startsWith("."))
      .filter(({ file, module, target }) => {
        const to = moduleOf(normalize(join(dirname(file), target)));
        return to !== module && module !== "commands" && MAY_IMPORT[module]?.includes(to) !== true;
      });
    expect(across.map(arrow)).toEqual([]);
  });

  it("that are pure reach nothing outside the process, nor does what they bring with them", () => {
    const pure = files.filter(({ module }) => PURE_MODULES.includes(module));
    const reached = new Set(pure.flatMap(({ path }) => reachedFrom(path)));
    const impure = imports.filter(
      ({ file, target }) => reached.has(file) && !target.startsWith(".") && !PURE_PACKAGES.includes(target),
    );
    expect(impure.map(arrow)).toEqual([]);
  });

  it("have no way back in the table above", () => {
    expect(cyclesOf(new Map(Object.entries(MAY_IMPORT)))).toEqual([]);
  });

  it("name each other by path, so that none goes past the table as a package", () => {
    const byName = imports.filter(({ target }) => /^(nomad-changefeed|nomad-simulator)\b/.test(target));
    expect(byName.map(arrow)).toEqual([]);
  });
});

it("no file reaches itself through others, nor through their types", () => {
  expect(cyclesOf(importedBy(imports))).toEqual([]);
  const loop = new Map([
    ["main.ts", ["a.ts"]],
    ["a.ts", ["b.ts"]],
    ["b.ts", ["c.ts"]],
    ["c.ts", ["a.ts"]],
  ]);
  expect(cyclesOf(loop)).toEqual(["a.ts → b.ts → c.ts → a.ts"]);
});

function importedBy(all: readonly Import[]): Map<string, string[]> {
  const within = all.filter(({ target }) => target.startsWith("."));
  return new Map(
    [...Map.groupBy(within, ({ file }) => file)].map(([file, own]) => [
      file,
      own.map(({ target }) => normalize(join(dirname(file), target))),
    ]),
  );
}

/** One way back to each file from which the search meets itself: none where there is no cycle. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(" → "));
    else if (!done.has(file)) for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

describe("the client", () => {
  const CLIENT = "packages/client/src";

  it("takes nothing from the bridge, and from others only `ws`, which a browser does without", () => {
    const others = imports.filter(({ module, target }) => module === "client" && !target.startsWith("./"));
    expect(others.map(arrow)).toEqual([
      `${CLIENT}/node-lines.ts → node:http`,
      `${CLIENT}/node-socket.ts → node:buffer`,
      `${CLIENT}/node-socket.ts → node:http`,
      `${CLIENT}/node-socket.ts → ws`,
    ]);
    expect(reachedFrom(`${CLIENT}/browser.ts`)).not.toContain(`${CLIENT}/node-socket.ts`);
  });

  it("holds four things that the bridge needs too: the root of all errors, how an address is shown, how changes are undone, why nothing could be placed", () => {
    const taken = imports.filter(({ module, target }) => module === "schemas" && target.includes(CLIENT));
    expect(taken.map(arrow)).toEqual([
      `src/schemas/address-text.ts → ${CLIENT}/address-text.ts`,
      `src/schemas/errors.ts → ${CLIENT}/coded-error.ts`,
      `src/schemas/json-changes.ts → ${CLIENT}/apply-changes.ts`,
      `src/schemas/placement.ts → ${CLIENT}/placement.ts`,
    ]);
  });
});

it("the bridge runs without the simulator", () => {
  const loaded = reachedFrom("src/commands/run.ts");
  expect(loaded).toContain("src/pollers/scope-loop.ts");
  expect(loaded.filter((file) => file.startsWith("packages/nomad-simulator"))).toEqual([]);
});

/** Files that a file brings with it when it runs. */
function reachedFrom(file: string, reached = new Set<string>()): string[] {
  if (reached.has(file)) return [];
  reached.add(file);
  for (const { file: from, target, isTypeOnly } of imports) {
    if (from === file && !isTypeOnly && target.startsWith("."))
      reachedFrom(normalize(join(dirname(file), target)), reached);
  }
  return [...reached];
}

it("only the edges touch the process: environment and exit are handed to everything else", () => {
  const touching = files.filter(({ text }) => /\bprocess\.(env|exit|argv)\b/.test(text));
  expect(touching.map(({ path }) => path)).toEqual(["src/commands/io.ts", "src/main.ts"]);
});

/** Time that is shown, stored, or compared with a time that somebody wrote down. */
const MAY_READ_THE_WALL_CLOCK = ["packages/nomad-simulator/src/simulator.ts", "src/shared/clock.ts"];

it("only what shows or stores time reads the wall clock, which somebody may set; intervals never do", () => {
  const reading = files.filter(({ text }) => /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/.test(text));
  expect(reading.map(({ path }) => path)).toEqual(MAY_READ_THE_WALL_CLOCK);
});

/** How long a silent socket is waited for, as the Redis client itself does; everything else gets its time from a clock. */
const MAY_WAIT_BY_THEMSELVES = ["src/feed/redis/connection.ts", "src/shared/clock.ts"];

it("what waits or measures does so by a clock, which a test can move", () => {
  const waiting = files.filter(
    ({ path, text }) =>
      path.startsWith("src/") &&
      /\bperformance\.now\b|\bset(Timeout|Interval)\(|\bAbortSignal\.timeout\b|"node:timers\/promises"/.test(
        text,
      ),
  );
  expect(waiting.map(({ path }) => path)).toEqual(MAY_WAIT_BY_THEMSELVES);
});

/** The process of a command, and what is made of all the parts. */
const MAY_NAME_THE_SYSTEM_CLOCK = ["src/bridge/overrides.ts", "src/commands/io.ts", "src/shared/clock.ts"];

it("everything gets its clock handed in; none but the outermost takes the system's", () => {
  const naming = files.filter(({ text }) => /\bsystemClock\b/.test(text));
  expect(naming.map(({ path }) => path)).toEqual(MAY_NAME_THE_SYSTEM_CLOCK);
});

/** What is written with a capital wherever it stands. */
const NAMES = /^(BullMQ|Nomad|Redis|SQLite)\b/;

it("log lines begin in lower case, as operators write them", () => {
  const call =
    /\blogger(?:\.(?:debug|info|warn|error|fatal)|\[\w+\])\(\s*(?:(?:\{(?:[^{}]|\{[^{}]*\})*\}|\w+),\s*)?["'`]([^"'`]+)/gi;
  const said = files.flatMap(({ text }) => [...text.matchAll(call)].map(([, words = ""]) => words));
  expect(said.length).toBeGreaterThan(40);
  expect(said.filter((words) => /^[A-Z]/.test(words) && !NAMES.test(words))).toEqual([]);
});

it("tables that are looked up by text are maps: a plain object answers to `constructor` too", () => {
  const tables = files.filter(({ text }) =>
    /^(export )?const \w+: Readonly<Record<string, .*= \{$|^\} as const satisfies Readonly<Record<string,/m.test(
      text,
    ),
  );
  // Its keys are a type; it is asked with Object.hasOwn.
  expect(tables.map(({ path }) => path)).toEqual(["src/schemas/error-codes.ts"]);
});

it("the reading of imports works", () => {
  expect(imports.length).toBeGreaterThan(files.length);
  const start = {
    file: "src/main.ts",
    module: "main.ts",
    target: "./commands/program.ts",
    isTypeOnly: false,
  };
  expect(imports).toContainEqual(start);
  expect(reachedFrom("packages/client/src/index.ts")).toContain("packages/client/src/node-socket.ts");
  expect(imports.some(({ target }) => target === "./run.ts")).toBe(true);
});
