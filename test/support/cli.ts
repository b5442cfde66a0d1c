import type { Command } from "commander";
import { createProgram, main } from "../../src/commands/program.ts";
import { systemClock } from "../../src/shared/clock.ts";
import type { Io } from "../../src/commands/io.ts";

/** A command running in this process, with what it has written so far. */
export interface RunningCli {
  readonly stdout: string;
  readonly stderr: string;
  /** Ctrl-C. */
  interrupt(): void;
  /** The exit code. */
  readonly done: Promise<number>;
}

type Given = Partial<Pick<Io, "env" | "isTTY" | "stderrIsTTY" | "columns" | "clock">>;

export function startCli(args: readonly string[], given: Given = {}): RunningCli {
  const stop = new AbortController();
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({ write: (text: string) => void (written[name] += text) });
  const io: Io = {
    stdout: output("stdout"),
    stderr: output("stderr"),
    stdoutBytes: {
      write: (data, done) => {
        written.stdout += data.toString();
        done();
      },
    },
    env: {},
    clock: systemClock,
    isTTY: false,
    stderrIsTTY: false,
    columns: () => undefined,
    signal: stop.signal,
    ...given,
  };
  const done = main(args, io);
  return {
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    interrupt: () => stop.abort(),
    done,
  };
}

/** The program as it is declared; none of its commands is run. `hear` gets what it writes by itself. */
export function builtProgram(hear: (text: string) => void = () => undefined): Command {
  const nowhere = { write: () => undefined };
  const io: Io = {
    stdout: { write: hear },
    stderr: { write: hear },
    stdoutBytes: nowhere,
    env: {},
    clock: systemClock,
    isTTY: false,
    stderrIsTTY: false,
    columns: () => undefined,
    signal: new AbortController().signal,
  };
  return createProgram(io, () => Promise.resolve());
}

/** Runs a command to its end. */
export async function runCli(
  args: readonly string[],
  given: Given = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const cli = startCli(args, given);
  const code = await cli.done;
  return { code, stdout: cli.stdout, stderr: cli.stderr };
}
