import type { Appended, HistoryFacts, StateEntry, StatePart } from "../../feed/log.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { RedactionRule } from "../../schemas/redaction-schema.ts";
import { Redactor } from "./redactor.ts";

/** Events that were redacted and that somebody may read again: characters of their JSON. */
const MAX_KEPT_CHARACTERS = 8 * 2 ** 20;

/** The rules in force, which a reload replaces, and the events that were redacted by them. */
export class Redaction {
  #redactor: Redactor | undefined;
  /** By sequence, oldest first, so that readers of the same events pay once. */
  readonly #kept = new Map<number, Kept>();
  #keptCharacters = 0;

  /** @throws InvalidRegex */
  constructor(rules: readonly RedactionRule[] = []) {
    this.configure(rules);
  }

  /** Takes other rules from the next read on. @throws InvalidRegex, and then the former stay. */
  configure(rules: readonly RedactionRule[]): void {
    this.#redactor = rules.length === 0 ? undefined : new Redactor(rules);
    this.#kept.clear();
    this.#keptCharacters = 0;
  }

  entries(entries: LogEntry[]): LogEntry[] {
    return this.#redactor === undefined ? entries : entries.map((entry) => this.#entry(entry));
  }

  facts(facts: HistoryFacts): HistoryFacts {
    return this.#redactor?.facts(facts) ?? facts;
  }

  appended(appended: Appended): Appended {
    if (this.#redactor === undefined) return appended;
    const entries = appended.entries.map((entry) => this.#entry(entry));
    return { ...appended, entries, sizes: entries.map(({ json }) => Buffer.byteLength(json)) };
  }

  states(entries: StateEntry[]): StateEntry[] {
    const redactor = this.#redactor;
    return redactor === undefined ? entries : entries.map((entry) => redactor.state(entry));
  }

  eventText(json: string): string {
    return this.#redactor?.eventText(json) ?? json;
  }

  dataText(json: string): string {
    return this.#redactor?.dataText(json) ?? json;
  }

  /** See Redactor. */
  texts<Texts extends object>(part: StatePart, texts: Texts): Texts {
    return this.#redactor?.texts(part, texts) ?? texts;
  }

  #entry(entry: LogEntry): LogEntry {
    const known = this.#kept.get(entry.sequence);
    // Another epoch has another event in that place.
    if (known?.json === entry.json) return known.redacted;
    const redacted = this.#redactor?.entry(entry) ?? entry;
    if (redacted !== entry) this.#keep({ json: entry.json, redacted });
    return redacted;
  }

  #keep(kept: Kept): void {
    this.#drop(kept.redacted.sequence);
    this.#kept.set(kept.redacted.sequence, kept);
    this.#keptCharacters += sizeOf(kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#keptCharacters <= MAX_KEPT_CHARACTERS) break;
      this.#drop(oldest);
    }
  }

  #drop(sequence: number): void {
    const kept = this.#kept.get(sequence);
    if (kept === undefined) return;
    this.#kept.delete(sequence);
    this.#keptCharacters -= sizeOf(kept);
  }
}

interface Kept {
  /** As the log has it. */
  readonly json: string;
  readonly redacted: LogEntry;
}

function sizeOf({ json, redacted }: Kept): number {
  return json.length + redacted.json.length;
}
