import type { DocumentStore } from "../../feed/log.ts";
import { keyOf, type GroupState } from "../../routing/notifications.ts";
import type { Json } from "../../schemas/json.ts";
import { Turns } from "../../shared/turns.ts";
import { PartedText } from "./parted-text.ts";

/** The document, in parts: what people were told last, of each group. */
const TOLD_DOCUMENT = "alerts/told";
const VERSION = 1;

interface Document {
  readonly version: number;
  readonly groups: readonly GroupState[];
  readonly remembered: Readonly<Record<string, Json>>;
}

/** What destinations for people were told, and what they asked to remember of it. */
export class ToldGroups {
  groups: readonly GroupState[];
  /** By group. */
  readonly remembered: Map<string, Json>;
  readonly #kept: PartedText;
  readonly #turns = new Turns();

  private constructor(kept: PartedText) {
    this.#kept = kept;
    const { groups, remembered } = parse(kept.text);
    this.groups = groups;
    this.remembered = new Map(Object.entries(remembered));
  }

  static async claim(owner: string, documents: DocumentStore): Promise<ToldGroups> {
    return new ToldGroups(await PartedText.claim(TOLD_DOCUMENT, owner, documents));
  }

  /** What a destination was told under its former name, it knows under its new one. */
  rename(former: string, name: string): void {
    this.groups = this.groups.map((group) => {
      if (group.destination !== former) return group;
      const key = keyOf(name, group.labels);
      const remembered = this.remembered.get(group.key);
      if (remembered !== undefined) this.remembered.set(key, remembered);
      return { ...group, destination: name, key };
    });
  }

  /** @throws Fenced, LogUnavailable */
  save(): Promise<void> {
    return this.#turns.take(() => {
      const keys = new Set(this.groups.map(({ key }) => key));
      for (const key of this.remembered.keys()) if (!keys.has(key)) this.remembered.delete(key);
      const remembered = Object.fromEntries(this.remembered);
      const document = { version: VERSION, groups: this.groups, remembered } satisfies Document;
      return this.#kept.save(JSON.stringify(document));
    });
  }
}

/** What another version wrote is not gone on from: people are told anew of what fires. */
function parse(text: string | undefined): Pick<Document, "groups" | "remembered"> {
  const document = text === undefined ? undefined : (JSON.parse(text) as Document);
  return document?.version === VERSION ? document : { groups: [], remembered: {} };
}
