import { spawnSync } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { skippedBecause } from "../support/skipped.ts";

/** What is typed, and what it becomes by a Tab, in every shell. */
const COMPLETED = [
  ["nomad-changefeed assi", "nomad-changefeed assignments"],
  ["nomad-changefeed alerts repl", "nomad-changefeed alerts replay"],
  ["nomad-changefeed deliveries dead-letters ret", "nomad-changefeed deliveries dead-letters retry"],
  ["nomad-changefeed silence exp", "nomad-changefeed silence expire"],
  ["nomad-changefeed help deliv", "nomad-changefeed help deliveries"],
  ["nomad-changefeed completion zs", "nomad-changefeed completion zsh"],
  ["nomad-changefeed run --retention-af", "nomad-changefeed run --retention-after"],
  ["nomad-changefeed alerts --js", "nomad-changefeed alerts --json"],
  ["nomad-changefeed run --log-level war", "nomad-changefeed run --log-level warn"],
  ["nomad-changefeed run --feed sqlite --reading hin", "nomad-changefeed run --feed sqlite --reading hinted"],
  ["nomad-changefeed run --reading=hin", "nomad-changefeed run --reading=hinted"],
  ["nomad-changefeed doctor --auth tokens,nom", "nomad-changefeed doctor --auth tokens,nomad"],
  ["nomad-changefeed run --resources jobs,evalu", "nomad-changefeed run --resources jobs,evaluations"],
  ["nomad-changefeed tail --min-severity WAR", "nomad-changefeed tail --min-severity WARN"],
  ["nomad-changefeed state --format ndj", "nomad-changefeed state --format ndjson"],
  ["nomad-changefeed history --only alloc", "nomad-changefeed history --only allocation/"],
  ["nomad-changefeed wait depl", "nomad-changefeed wait deployment"],
  ["nomad-changefeed wait deployment web --for hea", "nomad-changefeed wait deployment web --for healthy"],
  [
    "nomad-changefeed run --nomad-token-file package-lo",
    "nomad-changefeed run --nomad-token-file package-lock.json",
  ],
  ["nomad-changefeed audit verify package-lo", "nomad-changefeed audit verify package-lock.json"],
] as const;

const SHELLS = { bash: lineOfBash, zsh: lineOfZsh, fish: lineOfFish };

describe.each(Object.entries(SHELLS))("completion for %s", (shell, lineOf) => {
  const isMissing = spawnSync(shell, ["--version"]).error !== undefined;
  const why = skippedBecause(isMissing ? `no ${shell} here (Debian: apt-get install ${shell})` : undefined);

  it.skipIf(isMissing)(`completes commands, flags and values${why}`, async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-completion-"));
    const path = join(directory.path, "script");
    const { code, stdout } = await runCli(["completion", shell]);
    expect(code).toBe(0);
    await writeFile(path, stdout);
    expect(run(shell, ["-n", path])).toBe("");
    const lines = COMPLETED.map(([typed]) => [typed, lineOf(path, typed)]);
    expect(lines).toEqual(COMPLETED);
  });
});

it("offers nothing where a value is no choice, and everything where nothing is typed yet", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-completion-"));
  const path = join(directory.path, "script");
  await writeFile(path, (await runCli(["completion", "bash"])).stdout);
  expect(offersOfBash(path, "nomad-changefeed run --wait ")).toEqual([]);
  expect(offersOfBash(path, "nomad-changefeed run ")).toEqual([]);
  expect(offersOfBash(path, "nomad-changefeed run --baseline ")).toEqual(["marker", "events"]);
  const commands = offersOfBash(path, "nomad-changefeed ");
  expect(commands).toEqual(expect.arrayContaining(["run", "doctor", "tail", "audit", "completion", "help"]));
  expect(offersOfBash(path, "nomad-changefeed run --")).toHaveLength(
    (await runCli(["run", "--help"])).stdout.match(/^ {2}(-h, )?--/gm)?.length ?? 0,
  );
});

it("refuses another shell, and names those that there are", async () => {
  const { code, stderr } = await runCli(["completion", "tcsh"]);
  expect(code).toBe(2);
  expect(stderr).toContain("Allowed choices are bash, zsh, fish");
});

function run(program: string, args: readonly string[]): string {
  const env = { PATH: process.env["PATH"], HOME: tmpdir(), TERM: "dumb" };
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env, timeout: 60_000 });
  return stdout + stderr;
}

/** bash splits words at = too, and hands the word under the cursor over. */
function offersOfBash(path: string, typed: string): string[] {
  const words = typed.split(/ |(=)/).filter((word) => word !== undefined);
  const script = `source ${path}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
    COMP_CWORD=${words.length - 1}; _nomad_changefeed; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run("bash", ["--norc", "-c", script])
    .split("\n")
    .filter((offer) => offer !== "");
}

function lineOfBash(path: string, typed: string): string {
  const before = typed.replace(/[^ =]*$/, "");
  const offers = offersOfBash(path, typed);
  // None: what bash offers by itself, files, as the script asks for it.
  if (offers.length > 0) return before + offers.join(" ");
  return before + run("bash", ["--norc", "-c", `compgen -f -- ${typed.slice(before.length)}`]).trim();
}

function lineOfFish(path: string, typed: string): string {
  const offers = run("fish", ["--no-config", "-c", `source ${path}; complete -C '${typed}'`]);
  const names = offers.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")[0]]));
  const [only = ""] = names;
  const before = typed.replace(/[^ ]*$/, "");
  return names.length === 1 ? before + only : `${typed}: ${names.join(" ")}`;
}

/** As a person has it: an interactive zsh at a terminal of its own, where the Tab is pressed and the line is sent. */
function lineOfZsh(path: string, typed: string): string {
  const script = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell 'autoload -U compinit; compinit -u -D; source ${path}; nomad-changefeed() { print -r -- "RAN"":$*:" }'
    zpty -w shell 'PS1= ; print REA""DY'
    zpty -r -m shell line '*READY*'
    zpty -w -n shell '${typed}'$'\\t\\n'
    zpty -r -m shell line '*RAN:*:*'
    print -r -- $line
    zpty -d shell`;
  const ran = /RAN:(.*?):/.exec(run("zsh", ["-f", "-c", script]))?.[1] ?? "nothing";
  return `nomad-changefeed ${ran}`.trim();
}
