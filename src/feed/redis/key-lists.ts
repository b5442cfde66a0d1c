/** Characters of all lists together, about: some hundred thousand keys. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** Lists of keys that several readers of the same consistent read need, and each of them again: the latest ones that were asked for. */
export class KeyLists {
  readonly #lists = new Map<string, { readonly keys: readonly string[]; readonly characters: number }>();
  readonly #maxCharacters: number;
  #characters = 0;

  constructor(maxCharacters = MAX_CHARACTERS) {
    this.#maxCharacters = maxCharacters;
  }

  async get(name: string, fetch: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const known = this.#lists.get(name);
    if (known !== undefined) {
      this.#forget(name);
      this.#remember(name, known);
      return known.keys;
    }
    const keys = await fetch();
    this.#forget(name);
    this.#remember(name, { keys, characters: keys.reduce((sum, key) => sum + key.length, 0) });
    return keys;
  }

  #remember(name: string, list: { readonly keys: readonly string[]; readonly characters: number }): void {
    this.#lists.set(name, list);
    this.#characters += list.characters;
    for (const oldest of this.#lists.keys()) {
      if (this.#characters <= this.#maxCharacters) return;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    this.#characters -= this.#lists.get(name)?.characters ?? 0;
    this.#lists.delete(name);
  }
}
