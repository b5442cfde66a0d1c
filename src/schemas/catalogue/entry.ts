import type { Json, JsonObject } from "../json.ts";

/** What the catalogue says of one kind of Nomad object. */
export interface Entry {
  /** Singular, as in the event type `nomad.<noun>.updated` and in `history <noun>/<key>`. */
  readonly noun: string;
  /** Endpoint that lists them. */
  readonly path: string;
  /** What the endpoint wants to be asked with besides: `type=csi`. */
  readonly query?: Readonly<Record<string, string>>;
  /** A second endpoint without which the first says too little; `listOf` is given both answers. */
  readonly beside?: string;
  /** Whether one lists it per namespace. Cluster-wide resources have the namespace "-". */
  readonly namespaced: boolean;
  /** Field of the stub that identifies an object within its namespace. */
  readonly keyField: string;
  /** What a human calls the object. */
  readonly nameField: string;
  /** Capabilities that let a token list it: any of these sets suffices. None: only a management token may. */
  readonly grants: readonly (readonly string[])[];
  /** What a token needs in words, where `grants` does not say it. */
  readonly capability?: string;
  /**
   * Nomad leaves out single objects that a token may not see, and never refuses the list: those of namespaces by name,
   * others by rules for names or paths. Absent: who may list it sees all of it.
   */
  readonly grantedEach?: true;
  /** Another list that Nomad refuses by the same right, where it never refuses this one, but answers nothing. */
  readonly refusedAt?: string;
  /** A prefix no object has, valid for this list: asks "may I?" at no cost. Undefined: any list is that cheap. */
  readonly neverPrefix: string | undefined;
  /** Stub fields (nanoseconds since 1970) that date a change, best first. */
  readonly timeFields: readonly string[];
  /** Fields that tie the object to others, for filters and history. */
  readonly references: { readonly job?: string; readonly group?: string; readonly node?: string };
  /** Nomad has no index of it and holds no query: it is read at intervals. */
  readonly polled?: true;
  /** Makes the list of an answer that is none; with `beside`, of both answers. */
  readonly listOf?: (answer: Json, beside: Json) => readonly JsonObject[];
  /** Only these members of an object are taken; the others are dropped where they arrive. */
  readonly members?: readonly string[];
}

/** Of kinds whose keys are UUIDs: no object has it. */
export const NEVER_UUID = "00000000-0000-0000-0000-000000000000";
/** Of other kinds. */
export const NEVER_NAME = "~none~";

export const READ_JOB = [["read-job"]] as const;
