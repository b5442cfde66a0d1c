import { DocumentTooLarge } from "./errors.ts";
import { MAX_DOCUMENT_BYTES } from "./log.ts";

/** @throws DocumentTooLarge */
export function assertDocumentFits(name: string, text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DOCUMENT_BYTES) throw new DocumentTooLarge(name, bytes, MAX_DOCUMENT_BYTES);
}
