import { ChangefeedError } from "../schemas/errors.ts";

/** Bytes that are not what the standard says: of a checkpoint, a proof, a tile or a bundle. */
export class TlogFormatError extends ChangefeedError {
  override readonly code = "AUDIT_FORMAT_INVALID";
}

/** A key's text that cannot be used. Never shows the key. */
export class NoteKeyError extends ChangefeedError {
  override readonly code = "AUDIT_KEY_INVALID";
}

/** A note that no known key signed, or whose signature by a known key is wrong. */
export class NoteSignatureError extends ChangefeedError {
  override readonly code = "AUDIT_SIGNATURE_INVALID";
}
