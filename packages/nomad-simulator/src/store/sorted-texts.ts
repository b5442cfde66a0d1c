/** Texts in order, kept so while they come and go. */
export class SortedTexts {
  readonly #texts: string[];

  constructor(texts: Iterable<string>) {
    this.#texts = [...texts].toSorted((a, b) => (a < b ? -1 : 1));
  }

  add(text: string): void {
    this.#texts.splice(this.#position(text), 0, text);
  }

  delete(text: string): void {
    const position = this.#position(text);
    if (this.#texts[position] === text) this.#texts.splice(position, 1);
  }

  all(): readonly string[] {
    return this.#texts;
  }

  /** Those that begin with `prefix`. */
  *startingWith(prefix: string): Generator<string> {
    for (let position = this.#position(prefix); position < this.#texts.length; position += 1) {
      const text = this.#texts[position] as string;
      if (!text.startsWith(prefix)) return;
      yield text;
    }
  }

  /** The two that `text` would stand between: one of them shares the longest beginning with it. */
  neighbours(text: string): readonly string[] {
    const position = this.#position(text);
    return this.#texts.slice(Math.max(0, position - 1), position + 1);
  }

  /** Of the first that is not below `text`. */
  #position(text: string): number {
    let low = 0;
    let high = this.#texts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#texts[middle] as string) < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
