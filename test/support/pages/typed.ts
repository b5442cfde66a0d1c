import { spawn } from "node:child_process";
import { own } from "../own-processes.ts";
import { until } from "../until.ts";

export interface Typed {
  readonly stdout: string;
  readonly stderr: string;
  /** Absent: it went on until it was ended. */
  readonly code?: number | null;
}

export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * What somebody sees who types a line into a shell. A line that never ends by itself is ended when it has said what is
 * `enough`, or when `signal` aborts: as by Ctrl-C, which all hear that it started.
 */
export async function typed(
  line: string,
  place: Place,
  { enough, signal }: { enough?: RegExp | undefined; signal?: AbortSignal } = {},
): Promise<Typed> {
  const child = own(
    spawn("bash", ["-c", line], { ...place, detached: true, stdio: ["ignore", "pipe", "pipe"] }),
    line,
  );
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => (said[name] += text));
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGINT");
  };
  signal?.addEventListener("abort", end);
  if (enough === undefined) {
    const code = await closed;
    return { ...said, code };
  }
  try {
    await until(`what is typed says enough: ${line}`, () => {
      if (child.exitCode !== null)
        throw new Error(`${line}\nended with ${child.exitCode}:\n${said.stdout}${said.stderr}`);
      return enough.test(said.stdout) || enough.test(said.stderr);
    });
    return said;
  } finally {
    end();
    await closed;
  }
}
