const texts = new WeakMap<object, string>();

export function rememberText(item: object, text: string): void {
  texts.set(item, text);
}

/**
 * The JSON of an item, byte for byte as the server sent it: for archives and signatures, and for whole numbers
 * beyond 2^53 (Nomad's nanoseconds), which JSON.parse rounds.
 */
export function originalText(item: object): string {
  return texts.get(item) ?? JSON.stringify(item);
}
