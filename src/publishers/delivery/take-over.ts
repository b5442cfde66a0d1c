import type { DeadLetterStore, DocumentStore } from "../../feed/log.ts";
import { consumerOf, documentOf, parsePosition, type Position } from "./position.ts";

const LETTERS_AT_ONCE = 100;

interface TakeOverLog {
  readonly documents: DocumentStore;
  readonly deadLetters: DeadLetterStore;
}

/** The position that a renamed destination had under its former name; undefined where there is none. */
export async function formerPosition(
  formerName: string,
  owner: string,
  { documents }: TakeOverLog,
): Promise<Position | undefined> {
  const document = documentOf(formerName);
  if ((await documents.get(document)) === undefined) return undefined;
  // Whoever delivers under the former name must not move it any more.
  const { text } = await documents.claim(document, owner);
  return text === null ? undefined : parsePosition(formerName, text);
}

/** Its dead letters become those of the new name. May be repeated. */
export async function moveDeadLetters(
  formerName: string,
  name: string,
  { deadLetters }: TakeOverLog,
): Promise<void> {
  const [from, to] = [consumerOf(formerName), consumerOf(name)];
  for (;;) {
    const letters = await deadLetters.list(from, { limit: LETTERS_AT_ONCE });
    if (letters.length === 0) return;
    for (const letter of letters) await deadLetters.put(to, letter);
    await deadLetters.remove(
      from,
      letters.map(({ cursor }) => cursor),
    );
  }
}
