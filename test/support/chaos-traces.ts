import type { AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import type { BridgeProcess, LogLine } from "./bridge-process.ts";
import { assignmentsAt } from "./worker-watch.ts";

/** What the processes under test leave behind for people. */
export interface Traces {
  readonly assignments: readonly AssignmentStatus[];
  /** Every process that was started, also those that ended. */
  readonly processes: readonly { readonly name: string; readonly lines: readonly LogLine[] }[];
}

/** Remembers every process that was started, for when something is to be explained. */
export class StartedProcesses {
  readonly #all: { readonly name: string; readonly process: BridgeProcess }[] = [];

  add(name: string, process: BridgeProcess): BridgeProcess {
    this.#all.push({ name: `${name} (${process.child.pid})`, process });
    return process;
  }

  /** Never rejects. */
  async traces(): Promise<Traces> {
    const processes = this.#all.map(({ name, process: { lines } }) => ({ name, lines }));
    for (const { process } of this.#all) {
      const assignments = process.servesAt === undefined ? [] : await assignmentsAt(process.servesAt);
      if (assignments.length > 0) return { assignments, processes };
    }
    return { assignments: [], processes };
  }
}
