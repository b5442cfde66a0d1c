import { spawnSync } from "node:child_process";
import { buildGoProgram, goProgram } from "./go-program.ts";

/** A program of this folder, in Go: `go-verifier`, or `torchwood-verifier` with its own idea of a trail. */
type Verifier = "go-verifier" | "torchwood-verifier";

export function buildGoVerifier(name: Verifier = "go-verifier"): { readonly lacks: string | undefined } {
  return buildGoProgram(name);
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
  const { status, stdout, stderr } = spawnSync(goProgram(name), args, {
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status !== 0 && status !== 1) throw new Error(`exit ${status}: ${stdout}${stderr}`);
  return { accepts: status === 0, said: stdout.trim() };
}
