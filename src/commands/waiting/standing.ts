/** How far what is waited for has come. */
export interface Standing {
  /** "deployment 6df0c922 of web, version 1" */
  readonly subject: string;
  readonly version: number | null;
  /** Its id. */
  readonly deployment: string | null;
  /** Nomad's word, or "unknown". */
  readonly status: string;
  /** By group: how many allocations are as they should be, of how many. */
  readonly groups: Readonly<Record<string, GroupStanding>>;
  /** What else there is to say, in words; "" for nothing. */
  readonly note: string;
  readonly outcome: Outcome | undefined;
}

export interface GroupStanding {
  readonly ready: number;
  readonly wanted: number;
}

export interface Outcome {
  readonly end: "reached" | "failed";
  /** In words. */
  readonly why: string;
  /** Whether what comes in the next seconds cannot say otherwise. */
  readonly isSure: boolean;
}

/** A line for people. */
export function standingText({ subject, status, groups, note }: Standing): string {
  const counts = Object.entries(groups).map(([name, { ready, wanted }]) => `${name} ${ready}/${wanted}`);
  return [`${subject}: ${status}`, counts.join(", "), note].filter((part) => part !== "").join("; ");
}
