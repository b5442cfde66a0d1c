import { MAX_DOCUMENT_BYTES, type DocumentStore } from "../../feed/log.ts";

/** In UTF-16 units, of which none takes more than three bytes. */
const PART_LENGTH = Math.floor((MAX_DOCUMENT_BYTES * 0.9) / 3);
/** A reader meets a writer that has just begun another generation; not again and again. */
const READS = 5;

type Documents = Pick<DocumentStore, "get" | "list" | "claim" | "save" | "remove">;

/** Which parts a text consists of: the document of its name. Without parts it holds the text itself. */
interface Pointer {
  readonly generation: string;
  readonly parts: number;
  readonly text: string;
}

/**
 * A text longer than a document may be, with one holder. It is written whole or not at all: its parts first, under names
 * that no other holder uses, then the document that names them.
 */
export class PartedText {
  /** As it was when it was claimed; undefined where there was none. */
  readonly text: string | undefined;
  readonly #name: string;
  readonly #owner: string;
  readonly #fence: number;
  readonly #documents: Documents;
  #saves = 0;

  private constructor(
    { name, owner, fence }: { name: string; owner: string; fence: number },
    text: string | undefined,
    documents: Documents,
  ) {
    this.#name = name;
    this.#owner = owner;
    this.#fence = fence;
    this.#documents = documents;
    this.text = text;
  }

  /** Whoever had it may not save it any more. */
  static async claim(name: string, owner: string, documents: Documents): Promise<PartedText> {
    const claimed = await documents.claim(name, owner);
    const pointer = claimed.text === null ? undefined : pointerOf(claimed.text);
    const text = pointer && (await whole(name, pointer, documents));
    const held = new PartedText(claimed, text, documents);
    await held.#removeAllBut(pointer?.generation);
    return held;
  }

  /** @throws Fenced where another has claimed it since */
  async save(text: string): Promise<void> {
    this.#saves += 1;
    const generation = `${this.#fence}-${this.#saves}`;
    const parts = text.length <= PART_LENGTH ? [] : partsOf(text);
    for (const [position, part] of parts.entries()) {
      const name = partName(this.#name, generation, position);
      const { fence } = await this.#documents.claim(name, this.#owner);
      await this.#documents.save(name, fence, part);
    }
    const pointer = { generation, parts: parts.length, text: parts.length === 0 ? text : "" };
    await this.#documents.save(this.#name, this.#fence, pointerText(pointer));
    if (parts.length > 0) await this.#removeAllBut(generation);
  }

  /** What was not written to its end, and what was before. */
  async #removeAllBut(generation: string | undefined): Promise<void> {
    const kept = `${this.#name}/${generation}/`;
    for (const { name } of await this.#documents.list(`${this.#name}/`))
      if (!name.startsWith(kept)) await this.#documents.remove(name);
  }
}

/** For who does not hold it. Undefined where there is none. */
export async function readPartedText(
  name: string,
  documents: Pick<DocumentStore, "get">,
): Promise<string | undefined> {
  for (let attempt = 1; attempt <= READS; attempt += 1) {
    const text = (await documents.get(name))?.text ?? null;
    if (text === null) return undefined;
    const found = await whole(name, pointerOf(text), documents);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Undefined where a part is missing. */
async function whole(
  name: string,
  { generation, parts, text }: Pointer,
  documents: Pick<DocumentStore, "get">,
): Promise<string | undefined> {
  if (parts === 0) return text;
  const found = await Promise.all(
    Array.from({ length: parts }, (_, position) => documents.get(partName(name, generation, position))),
  );
  const texts = found.map((document) => document?.text ?? undefined);
  return texts.includes(undefined) ? undefined : texts.join("");
}

function partName(name: string, generation: string, position: number): string {
  return `${name}/${generation}/${position}`;
}

function pointerText({ generation, parts, text }: Pointer): string {
  return `${generation} ${parts}\n${text}`;
}

function pointerOf(document: string): Pointer {
  const end = document.indexOf("\n");
  const [generation = "", parts = "0"] = document.slice(0, end).split(" ");
  return { generation, parts: Number(parts), text: document.slice(end + 1) };
}

/** Cut between characters. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length;) {
    let to = Math.min(from + PART_LENGTH, text.length);
    if (to < text.length && /[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to -= 1;
    parts.push(text.slice(from, to));
    from = to;
  }
  return parts;
}
