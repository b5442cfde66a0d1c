/** Shorter words are no secrets, and stand everywhere. */
const LEAST = 6;
const HIDDEN = "[hidden]";

/** Takes secrets out of what people are shown: whoever is sent to may repeat them. */
export class HiddenTexts {
  /** Longest first, so that none is found within another. */
  readonly #texts: readonly string[];

  /** Each text, and each of its words ("Bearer abc…"). */
  constructor(secrets: readonly string[]) {
    const texts = secrets.flatMap((text) => [text, ...text.split(/\s+/)]);
    this.#texts = [...new Set(texts)]
      .filter((text) => text.length >= LEAST)
      .toSorted((a, b) => b.length - a.length);
  }

  /** At most `length` characters of `text`. `isCut`: it is the beginning of more, and may end within a secret. */
  show(text: string, length: number, isCut: boolean): string {
    const longest = this.#texts[0]?.length ?? 0;
    let shown = isCut && longest > 0 ? text.slice(0, Math.max(0, text.length - longest + 1)) : text;
    for (const secret of this.#texts) shown = shown.replaceAll(secret, HIDDEN);
    return shown.slice(0, length);
  }
}
