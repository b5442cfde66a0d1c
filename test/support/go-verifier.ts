import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const CACHE = join(homedir(), ".cache", "nomad-changefeed");

/** A program of this folder, in Go: `go-verifier`, or `torchwood-verifier` with its own idea of a trail. */
type Verifier = "go-verifier" | "torchwood-verifier";

/** Builds what Go has not built before; or why it is not there. */
export function buildGoVerifier(name: Verifier = "go-verifier"): { readonly lacks: string | undefined } {
  mkdirSync(CACHE, { recursive: true });
  const { error, status, stderr } = spawnSync("go", ["build", "-o", join(CACHE, name), "."], {
    cwd: join(import.meta.dirname, name),
    encoding: "utf8",
  });
  if (error !== undefined) return { lacks: "no go: apt-get install golang-go, or see https://go.dev" };
  if (status === 0) return { lacks: undefined };
  // Without a way to Go's modules there is nothing to test with; a program that does not compile is our mistake.
  if (
    /@\S+: (?:reading \S+: )?Get |go\.mod requires go|toolchain not available|invalid go version/.test(stderr)
  )
    return { lacks: `go is too old for ${name}, or cannot get its modules: ${stderr.trim().slice(0, 200)}` };
  throw new Error(stderr);
}

/** What `go-verifier` says, and whether it accepts. */
export function askGoVerifier(...args: readonly string[]): Said {
  return askVerifier("go-verifier", args);
}

interface Said {
  readonly accepts: boolean;
  readonly said: string;
}

export function askVerifier(name: Verifier, args: readonly string[]): Said {
  const { status, stdout, stderr } = spawnSync(join(CACHE, name), args, {
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status !== 0 && status !== 1) throw new Error(`exit ${status}: ${stdout}${stderr}`);
  return { accepts: status === 0, said: stdout.trim() };
}
