import { isatty } from "node:tty";
import { systemClock, type Clock } from "../shared/clock.ts";
import { guardedOutput } from "../schemas/terminal-text.ts";

/** A stream a command writes text to. */
export interface Output {
  write(text: string): unknown;
}

/** An output that lets nothing through which steers a terminal, but colours and line breaks. */
export class GuardedOutput implements Output {
  readonly target: Output;

  constructor(target: Output) {
    this.target = target;
  }

  write(text: string): unknown {
    return this.target.write(guardedOutput(text));
  }
}

/** A command's whole contact with the process it runs in, so that tests run commands in their own process. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** The same as stdout, for what is not text for people: nothing is taken out. */
  readonly stdoutBytes: { write(data: Buffer, done: (error?: Error | null) => void): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the command should end: Ctrl-C, SIGTERM, SIGHUP where nothing is reloaded, or nobody reads its output any
   * more. */
  readonly signal: AbortSignal;
  /** From now on SIGHUP calls this, or ends the command where that is undefined. A SIGHUP that came before counts too. */
  readonly onHangUp?: (listener: (() => void) | undefined) => void;
  readonly clock: Clock;
  /** Whether a person looks at stdout: colours and live lines only then. */
  readonly isTTY: boolean;
  /** Whether a person looks at stderr, where the log goes. */
  readonly stderrIsTTY: boolean;
  /** Width of the terminal at stdout; undefined where there is none. Asked anew for each line: windows are resized. */
  columns(): number | undefined;
}

/** How long a command may take to end once asked, ms. */
const GRACE_MS = 15_000;

/** What SIGHUP means until the command says it. */
interface HangUps {
  /** Perhaps to read a file again: it waits. Else it ends the command. */
  readonly mayReload: boolean;
  /** One waits already. */
  readonly cameEarly: boolean;
}

/**
 * The io of this process. The first SIGINT, SIGTERM or SIGHUP aborts the signal; a second one, or the grace period
 * running out, ends the process at once.
 */
export function processIo({ mayReload, cameEarly }: HangUps): Io {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) endAtOnce();
    stop.abort();
    systemClock.after(GRACE_MS, endAtOnce);
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, onSignal);
  // The terminal was closed; or what runs is to read its file again, and then finds out by its output.
  let hasWaiting = cameEarly;
  let onHangUp = mayReload ? () => void (hasWaiting = true) : onSignal;
  process.on("SIGHUP", () => onHangUp());
  // A pipe whose reader left (`… | head`) is an ordinary end, not a failure.
  process.stdout.on("error", () => stop.abort());
  process.stderr.on("error", () => stop.abort());
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdoutBytes: process.stdout,
    env: process.env,
    signal: stop.signal,
    onHangUp: (listener = onSignal) => {
      onHangUp = listener;
      if (hasWaiting) listener();
      hasWaiting = false;
    },
    clock: systemClock,
    isTTY: isatty(1),
    stderrIsTTY: isatty(2),
    columns: () => process.stdout.columns,
  };
}

function endAtOnce(): never {
  process.exit(1);
}
