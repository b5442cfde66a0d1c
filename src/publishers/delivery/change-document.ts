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
    const { fence } = found ?? (await documents.claim(name, owner));
    try {
      await documents.change(name, fence, text);
      return;
    } catch (error) {
      if (!(error instanceof Fenced) || attempt === TRIES) throw error;
    }
  }
}
