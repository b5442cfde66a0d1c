import { spawnSync } from "node:child_process";

/** The Python that has what tests need beside the standard library: scripts/test names one. */
export const PYTHON = process.env["TEST_PYTHON"] ?? "python3";

/** Why a test that imports these packages or modules of them cannot run here; undefined where it can. */
export function pythonLacks(...packages: readonly string[]): string | undefined {
  const { status } = spawnSync(PYTHON, ["-c", `import ${packages.join(", ")}`], { stdio: "ignore" });
  if (status === 0) return undefined;
  const names = packages.map((name) => name.split(".", 1)[0]).join(" ");
  return `no ${packages.join(" and ")} for ${PYTHON}: pip install -U ${names}, or let scripts/test do it`;
}
