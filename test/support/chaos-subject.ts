import type { Random } from "../../packages/nomad-simulator/src/random.ts";
import type { Traces } from "./chaos-traces.ts";
import type { Deadline } from "./deadline.ts";
import type { SeenEvent } from "./feed-check.ts";

/** What is tried: a feed, and what can be done to it. */
export interface ChaosSubject {
  /** Of a hundred things that happen, how many happen to it. */
  readonly harmPercent: number;
  /** Processes that were ended and started again. */
  readonly restarts: number;
  readonly takeoversMs: readonly number[];
  /** Starts it, and waits until it has read everything once. */
  start(nomadAddr: string): Promise<void>;
  /** Does something bad to it. Answers what. */
  harm(random: Random): Promise<string>;
  /** Lets everything that was harmed run again. */
  calm(): Promise<void>;
  /** The whole log; rejects while it cannot be read. */
  events(): Promise<SeenEvent[]>;
  /** Never rejects. */
  traces(): Promise<Traces>;
  close(): Promise<void>;
}

/** The same subject, of which nothing takes longer than there is time. */
export class SubjectInTime implements ChaosSubject {
  readonly #subject: ChaosSubject;
  readonly #deadline: Deadline;

  constructor(subject: ChaosSubject, deadline: Deadline) {
    this.#subject = subject;
    this.#deadline = deadline;
  }

  get harmPercent(): number {
    return this.#subject.harmPercent;
  }

  get restarts(): number {
    return this.#subject.restarts;
  }

  get takeoversMs(): readonly number[] {
    return this.#subject.takeoversMs;
  }

  start(nomadAddr: string): Promise<void> {
    return this.#deadline.waitFor("the feed has started", this.#subject.start(nomadAddr));
  }

  harm(random: Random): Promise<string> {
    return this.#deadline.waitFor("the feed is harmed", this.#subject.harm(random));
  }

  calm(): Promise<void> {
    return this.#deadline.waitFor("the feed runs undisturbed", this.#subject.calm());
  }

  events(): Promise<SeenEvent[]> {
    return this.#deadline.waitFor("the log is read", this.#subject.events());
  }

  traces(): Promise<Traces> {
    return this.#subject.traces();
  }

  /** In any case: whatever runs still is ended here. */
  close(): Promise<void> {
    return this.#subject.close();
  }
}

export type Reading = "auto" | "lists" | "hinted";

/** Flags of every bridge under test. */
export const CHAOS_FLAGS = [
  "--baseline",
  "events",
  "--max-event-bytes",
  "10MiB",
  // A restore leaves queries asleep until their wait ends: keep it short.
  "--wait",
  "1s",
  "--nomad-compression",
  "gzip",
] as const;

export function chaosFlags(reading: Reading): readonly string[] {
  // What was lost with a frame, and was not missed, is found by the next whole list.
  return [...CHAOS_FLAGS, "--reading", reading, "--full-every", "10s"];
}
