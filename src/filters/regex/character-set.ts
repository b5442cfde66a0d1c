const ASCII = 128;

/**
 * A set of characters, one of which is matched at a time. Unless it is a single one, which belong to it is asked of
 * JavaScript's own tables: a pattern of one class and nothing else takes constant time.
 */
export class CharacterSet {
  /** The one character it consists of, if there is just one. */
  readonly only: number | undefined;
  readonly #source: string;
  readonly #flags: string;
  #pattern: RegExp | undefined;
  /** Of ASCII characters, which nearly all are: 0 not asked yet, 1 no, 2 yes. */
  readonly #known = new Uint8Array(ASCII);

  /** `source`: one class in the syntax of JavaScript's `v` flag. */
  constructor(source: string, ignoreCase: boolean, codePoint?: number) {
    this.#source = `^${source}$`;
    this.#flags = ignoreCase ? "vi" : "v";
    this.only = ignoreCase ? undefined : codePoint;
  }

  has(codePoint: number): boolean {
    if (this.only !== undefined) return codePoint === this.only;
    if (codePoint >= ASCII) return this.#ask(codePoint);
    const known = this.#known[codePoint];
    if (known !== 0) return known === 2;
    const has = this.#ask(codePoint);
    this.#known[codePoint] = has ? 2 : 1;
    return has;
  }

  #ask(codePoint: number): boolean {
    this.#pattern ??= new RegExp(this.#source, this.#flags);
    return this.#pattern.test(String.fromCodePoint(codePoint));
  }
}
