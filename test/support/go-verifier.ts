import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dirname, "go-verifier");
const CACHE = join(homedir(), ".cache", "nomad-changefeed");
const PROGRAM = join(CACHE, "go-verifier");

/** The program in `go-verifier`, or why there is none. Builds what Go has not built before. */
export function buildGoVerifier(): { readonly lacks: string | undefined } {
  mkdirSync(CACHE, { recursive: true });
  const { error, status, stderr } = spawnSync("go", ["build", "-o", PROGRAM, "."], {
    cwd: SOURCE,
    encoding: "utf8",
  });
  if (error !== undefined) return { lacks: "no go: apt-get install golang-go, or see https://go.dev" };
  if (status === 0) return { lacks: undefined };
  // Without a way to Go's modules there is nothing to test with; a program that does not compile is our mistake.
  if (/golang\.org\/x\/mod@\S+: Get /.test(stderr))
    return { lacks: `go cannot get golang.org/x/mod: ${stderr.trim().slice(0, 200)}` };
  throw new Error(stderr);
}

/** What the program says, and whether it accepts. */
export function askGoVerifier(...args: readonly string[]): {
  readonly accepts: boolean;
  readonly said: string;
} {
  const { status, stdout, stderr } = spawnSync(PROGRAM, args, { encoding: "utf8", timeout: 60_000 });
  if (status !== 0 && status !== 1) throw new Error(`exit ${status}: ${stdout}${stderr}`);
  return { accepts: status === 0, said: stdout.trim() };
}
