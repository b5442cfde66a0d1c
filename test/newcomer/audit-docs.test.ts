import { execFile, spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildGoVerifier } from "../support/go-verifier.ts";
import { own } from "../support/own-processes.ts";
import { freePort } from "../support/redis-server.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/audit.md"), "utf8");
const run = promisify(execFile);
const { lacks } = buildGoVerifier();

let place: string;
let env: NodeJS.ProcessEnv;
let feed: string;
let end: () => Promise<void>;

/** The commands of the page: those up to the last that goes on in the background, and those to look with. */
function commands(): { begin: string; look: string[] } {
  const lines = (/\n## Quick start\n[^]*?\n```sh\n([^]*?)\n```\n/.exec(PAGE)?.[1] ?? "").split("\n");
  const last = lines.findLastIndex((line) => line.endsWith(" &")) + 1;
  return { begin: lines.slice(0, last).join("\n"), look: lines.slice(last) };
}

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "ncf-audit-"));
  for (const name of readdirSync(ROOT)) symlinkSync(join(ROOT, name), join(place, name));
  const [nomad, port] = [await freePort(), await freePort()];
  feed = `http://127.0.0.1:${port}`;
  env = { ...process.env, NOMAD_ADDR: `http://127.0.0.1:${nomad}`, NCF_LISTEN: `127.0.0.1:${port}` };
  // A test has no port for itself, and no time; all else is as it stands there.
  const begin = commands().begin.replace(
    "-- simulate",
    `-- simulate --changes-per-second 100 --listen 127.0.0.1:${nomad}`,
  );
  const shell = own(
    spawn("bash", ["-c", `${begin}\nwait`], {
      cwd: place,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    }),
    "the commands of docs/audit.md",
  );
  shell.stdout.resume();
  const closed = new Promise((resolve) => shell.stdout.once("close", resolve));
  end = async () => {
    process.kill(-(shell.pid ?? 0), "SIGTERM");
    await closed;
  };
  await until(
    "the trail has the events that the page asks for",
    () => entries() > 30 && hasEventsOf("worker-0"),
  );
});
afterEach(async () => {
  await end();
  rmSync(place, { recursive: true });
});

function entries(): number {
  try {
    return Number(readFileSync(join(place, "trail/checkpoint"), "utf8").split("\n")[1]);
  } catch {
    return 0;
  }
}

/** Of a job, or of what belongs to it. */
function hasEventsOf(job: string): boolean {
  const bundles = readdirSync(join(place, "trail/tile/entries"), { recursive: true, withFileTypes: true });
  return bundles.some((file) => {
    if (!file.isFile()) return false;
    try {
      return readFileSync(join(file.parentPath, file.name), "latin1").includes(`"job":"${job}"`);
    } catch {
      // A partial bundle goes when it is full.
      return false;
    }
  });
}

test("from nothing to a verified trail, a proof and a report, by the commands of the page", async () => {
  const seen: string[] = [];
  for (const command of commands().look) {
    const { stdout, stderr } = await run("bash", ["-c", command], { cwd: place, env });
    seen.push(stdout + stderr);
  }
  expect(seen).toEqual([
    expect.stringContaining("verifies: every entry and every tile hashes to the signed root\n"),
    "",
    expect.stringMatching(/"cursor":"\w+-20"[^]*proved: entry 20 of the \d+ entries of example\.com\/nomad/),
    "",
    expect.stringContaining("the report is as example.com/nomad+"),
  ]);
  expect(readFileSync(join(place, "web.report"), "utf8")).toMatch(/\n *\d+ {2}\S+Z .* worker-0 /);
});

test.skipIf(lacks !== undefined)(
  `the program of the page believes the served trail, and not one of whose entries a byte is another${skippedBecause(lacks)}`,
  async () => {
    const program = join(place, "verifier");
    mkdirSync(program);
    const source = /\n {2}```go\n([^]*?)\n {2}```\n/.exec(PAGE)?.[1] ?? "";
    writeFileSync(join(program, "main.go"), source);
    for (const name of ["go.mod", "go.sum"])
      copyFileSync(join(ROOT, "test/support/go-verifier", name), join(program, name));
    const vkey = readFileSync(join(place, "audit.vkey"), "utf8").trim();
    const verify = () =>
      run("go", ["run", ".", `${feed}/v1/audit/`, vkey], { cwd: program, env }).then(
        ({ stdout }) => stdout,
        ({ stderr }: { stderr: string }) => stderr,
      );
    await until("a bundle is full", () => entries() > 300);
    expect(await verify()).toMatch(/^example\.com\/nomad: all \d+ entries are those that were signed\n$/);
    const bundle = join(place, "trail/tile/entries/000");
    const bytes = readFileSync(bundle);
    bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
    writeFileSync(bundle, bytes);
    expect(await verify()).toMatch(/entry \d+ is not the one that was signed/);
  },
);
