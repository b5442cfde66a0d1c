import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const CACHE = join(homedir(), ".cache", "nomad-changefeed");

/** The module of the client in Go. */
export const GO_CLIENT = join(import.meta.dirname, "../../clients/go");

/** Programs in Go: the module each is of, and where in it. */
const PROGRAMS = {
  "go-verifier": [join(import.meta.dirname, "go-verifier"), "."],
  "torchwood-verifier": [join(import.meta.dirname, "torchwood-verifier"), "."],
  "go-event-client": [join(import.meta.dirname, "go-event-client"), "."],
  "csi-plugin": [join(import.meta.dirname, "csi-plugin"), "."],
  "go-client-conformance": [GO_CLIENT, "./internal/conformance"],
  "go-client-follow": [GO_CLIENT, "./internal/follow"],
} as const;
type GoProgram = keyof typeof PROGRAMS;

/** Where it is once it was built. */
export function goProgram(name: GoProgram): string {
  return join(CACHE, name);
}

/** Builds what Go has not built before; or why it is not there. */
export function buildGoProgram(name: GoProgram): { readonly lacks: string | undefined } {
  mkdirSync(CACHE, { recursive: true });
  const [cwd, what] = PROGRAMS[name];
  const { error, status, stderr } = spawnSync("go", ["build", "-o", goProgram(name), what], {
    cwd,
    encoding: "utf8",
  });
  if (error !== undefined) return { lacks: "no go: apt-get install golang-go, or see https://go.dev" };
  if (status === 0) return { lacks: undefined };
  // Without a way to Go's modules there is nothing to test with; a program that does not compile is our mistake.
  if (
    /@\S+: (?:reading \S+: )?Get |(?:go\.mod|module) requires [Gg]o|toolchain not available|invalid go version|is not in (GOROOT|std)/.test(
      stderr,
    )
  )
    return { lacks: `go is too old for ${name}, or cannot get its modules: ${stderr.trim().slice(0, 200)}` };
  throw new Error(stderr);
}
