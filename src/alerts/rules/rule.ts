import type { ResourceType } from "../../schemas/resources.ts";
import type { Severity } from "../../schemas/severity.ts";
import type { SubjectKind, Subjects } from "../model/subject.ts";

/** What an alert is about, when it fires, what it says. One entry of the table of rules. */
export interface Rule<Kind extends SubjectKind> extends RuleFacts {
  readonly on: Kind;
  readonly condition: Condition<Kind>;
}

export interface RuleFacts extends Settings {
  readonly name: string;
  /** The rule of the table that it is a variant of, or its own name. */
  readonly base: string;
  /** What each alert of it is about; its names are the labels that identify the alert. */
  readonly on: SubjectKind;
  /** The lists it is read from. While one of them cannot be trusted, nothing of it begins or ends. */
  readonly reads: readonly ResourceType[];
  /** Rules whose alert, where one fires for the same subject, explains this one, which then does not fire. They stand before it in the table. */
  readonly foldsInto: readonly string[];
  /** One line for people, with `{placeholders}`: labels and details of the alert. */
  readonly summary: string;
  readonly meaning: string;
  readonly todo: readonly string[];
  /** Page of Nomad's UI, below /ui/, with placeholders. */
  readonly page: string | undefined;
}

/** What users may set. */
interface Settings {
  readonly severity: Severity;
  /** How long it must hold before it fires, ms. */
  readonly forMs: number;
  /** How long it goes on firing after it holds no longer, ms: what comes back meanwhile is the same alert. */
  readonly keepFiringForMs: number;
  /** How many of what it counts; undefined where it counts nothing. */
  readonly atLeast: number | undefined;
  /** In what time it counts them, ms. */
  readonly withinMs: number | undefined;
  /** What something may last, ms. */
  readonly longerThanMs: number | undefined;
  /** Which subjects it is for, by label: patterns with `*`; one that begins with `!` excludes. Absent: all. */
  readonly where: Readonly<Partial<Record<string, readonly string[]>>>;
}

export type AnyRule = { [Kind in SubjectKind]: Rule<Kind> }[SubjectKind];

type Condition<Kind extends SubjectKind> = (subject: Subjects[Kind], asked: Asked) => Answer;

export interface Asked {
  readonly settings: Settings;
  readonly now: number;
  /** Whether allocations that fail in a rollout are told of by an alert about the deployment. */
  readonly deploymentsAreTold: boolean;
}

/** Whether it holds. */
export interface Answer {
  readonly finding?: Finding | undefined;
  /** When that may be otherwise though nothing happens, ms. */
  readonly until?: number | undefined;
  /** Why it does not hold, where that is no recovery. */
  readonly end?: "stopped" | undefined;
}

export interface Finding {
  /** How many of what the rule counts. */
  readonly count: number;
  /** What explains it; varies while the alert fires. */
  readonly details: Readonly<Record<string, string>>;
}
