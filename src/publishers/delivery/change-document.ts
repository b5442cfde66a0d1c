import { Fenced } from "../../feed/errors.ts";
import type { DocumentStore } from "../../feed/log.ts";

/** Somebody else may change it at the same time, but not again and again. */
const TRIES = 5;

/**
 * Changes a document for people, whoever owns it; `owner` does where there was none. `change` is given its text, null
 * where there is none yet, and may be asked again.
 * @throws Fenced, DocumentTooLarge, and what `change` throws
 */
export async function changeDocument(
  name: string,
  owner: string,
  documents: Pick<DocumentStore, "get" | "claim" | "change">,
  change: (text: string | null) => string | Promise<string>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await documents.get(name);
    const text = await change(found?.text ?? null);
    const document = found ?? (await documents.claim(name, owner));
    // Somebody else has made it meanwhile, and what they wrote is to be changed.
    if (found === undefined && document.text !== null && attempt < TRIES) continue;
    try {
      await documents.change(name, document.fence, text);
      return;
    } catch (error) {
      if (!(error instanceof Fenced) || attempt === TRIES) throw error;
    }
  }
}
