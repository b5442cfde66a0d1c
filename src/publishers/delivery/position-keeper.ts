import { Fenced } from "../../feed/errors.ts";
import type { DocumentStore, StoredDocument } from "../../feed/log.ts";
import type { Clock } from "../../shared/clock.ts";
import { documentOf, parsePosition, positionText, type Position } from "./position.ts";

/** A position that nobody saved for a day is taken for one of a destination that was removed. */
const FRESHEN_EVERY_MS = 3_600_000;

/** What became of a position: kept; kept, and people changed it; or it is another process's by now. */
export type Kept = { readonly kind: "kept" | "fenced" } | { readonly kind: "steered"; readonly to: Position };

/** Keeps one delivery's position in the log, for as long as nobody else claims it. */
export class PositionKeeper {
  readonly #name: string;
  readonly #documents: DocumentStore;
  readonly #clock: Clock;
  readonly #owner: string;
  #fence: number;
  #text: string | null;
  #savedAtMs: number;

  private constructor(
    name: string,
    document: StoredDocument,
    { documents, clock }: { documents: DocumentStore; clock: Clock },
  ) {
    this.#name = name;
    this.#documents = documents;
    this.#clock = clock;
    this.#owner = document.owner;
    this.#fence = document.fence;
    this.#text = document.text;
    this.#savedAtMs = clock.elapsed();
  }

  /** Whoever had it may not save it any more. */
  static async claim(
    name: string,
    owner: string,
    deps: { documents: DocumentStore; clock: Clock },
  ): Promise<PositionKeeper> {
    return new PositionKeeper(name, await deps.documents.claim(documentOf(name), owner), deps);
  }

  /** As it was when it was claimed; undefined where there was none. */
  position(): Position | undefined {
    return this.#text === null ? undefined : parsePosition(this.#name, this.#text);
  }

  /** Saves it where it is another one than before, and looks whether people changed it meanwhile. */
  async keep(position: Position): Promise<Kept> {
    const text = positionText(position);
    const isOld = this.#clock.elapsed() - this.#savedAtMs >= FRESHEN_EVERY_MS;
    try {
      if (text === this.#text && !isOld) return await this.#look();
      await this.#documents.save(documentOf(this.#name), this.#fence, text);
      this.#text = text;
      this.#savedAtMs = this.#clock.elapsed();
      return { kind: "kept" };
    } catch (error) {
      if (error instanceof Fenced) return this.#look();
      throw error;
    }
  }

  async #look(): Promise<Kept> {
    const document = await this.#documents.get(documentOf(this.#name));
    if (document === undefined) throw new Error(`the position of the delivery ${this.#name} was removed`);
    if (document.owner !== this.#owner) return { kind: "fenced" };
    if (document.fence === this.#fence || document.text === null) return { kind: "kept" };
    this.#fence = document.fence;
    this.#text = document.text;
    return { kind: "steered", to: parsePosition(this.#name, document.text) };
  }
}
