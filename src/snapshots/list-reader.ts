import type { Resource } from "../schemas/resources.ts";
import { Element, scanElement, Unexpected } from "./element-scan.ts";
import { MalformedList } from "./errors.ts";
import { BYTE, hashStringAt, skipSpace } from "./json-text.ts";

/** What is known of a list beside its body. */
export interface ListOrigin {
  /** The one namespace that was asked for: that of objects which do not name theirs. */
  readonly namespace?: string | undefined;
}

/** The list is none of ours as it stands, but can be mended. */
export class NeedsMending extends Error {}

/**
 * Walks a list body element by element: `while (hasElement()) { readElement() or skipTo() }`. Whoever walks to the
 * end knows that the list is whole.
 */
export class ListReader {
  /** The element read last. */
  readonly element: Element;
  /** Where the next element starts, after `hasElement` said there is one. */
  at = 0;
  readonly #resource: Resource;
  readonly #body: Buffer;
  readonly #keyName: Buffer;
  readonly #origin: ListOrigin & { readonly mends?: boolean };
  #opened = false;

  /** With `mends` also elements are read that the caller then mends. */
  constructor(resource: Resource, body: Buffer, origin: ListOrigin & { readonly mends?: boolean } = {}) {
    if (body.length > 0xffff_ffff) throw new MalformedList(resource, "it is larger than 4 GiB");
    this.#resource = resource;
    this.#body = body;
    this.element = new Element(body);
    this.#keyName = Buffer.from(resource.keyField);
    this.#origin = origin;
  }

  /** Moves to the next element. False at the end of the list, behind which nothing but white space may be. */
  hasElement(): boolean {
    this.at = skipSpace(this.#body, this.at);
    if (this.#opened ? this.#passesComma() : this.#opens()) {
      this.at = skipSpace(this.#body, this.at);
      return true;
    }
    if (skipSpace(this.#body, this.at) !== this.#body.length)
      throw this.#problem("something follows the list", this.at);
    return false;
  }

  #opens(): boolean {
    this.#opened = true;
    // Nomad answers some lists with `null` or with no body at all where there is nothing.
    if (this.at === this.#body.length) return false;
    if (this.#body.toString("latin1", this.at, this.at + 4) === "null") {
      this.at += 4;
      return false;
    }
    if (this.#body[this.at] !== BYTE.openArray) throw this.#problem("expected an array", this.at);
    this.at = skipSpace(this.#body, this.at + 1);
    if (this.#body[this.at] !== BYTE.closeArray) return true;
    this.at++;
    return false;
  }

  #passesComma(): boolean {
    const byte = this.#body[this.at];
    if (byte !== BYTE.comma && byte !== BYTE.closeArray) throw this.#problem("expected , or ]", this.at);
    this.at++;
    return byte === BYTE.comma;
  }

  /** @throws NeedsMending, MalformedList */
  readElement(): Element {
    const { element } = this;
    const body = this.#body;
    try {
      scanElement(body, this.at, this.#keyName, element);
      if (element.keyAt === 0) throw this.#lacks(this.#resource.keyField);
      if (this.#isWhole(element)) {
        const namespace = this.#resource.namespaced ? hashStringAt(body, element.namespaceAt) : undefined;
        element.identity = hashStringAt(body, element.keyAt, namespace);
      } else if (this.#origin.mends !== true) throw new NeedsMending();
    } catch (error) {
      if (error instanceof Unexpected) throw this.#problem(error.message, error.at);
      if (error instanceof SyntaxError) throw this.#problem("the object's key is not JSON", this.at);
      throw error;
    }
    this.at = element.end;
    return element;
  }

  /** @throws MalformedList where it can not be made whole either. */
  #isWhole(element: Element): boolean {
    const lacksNamespace = this.#resource.namespaced && element.namespaceAt === 0;
    if (lacksNamespace && this.#origin.namespace === undefined) throw this.#lacks("Namespace");
    return !lacksNamespace && element.nonNumbers.length === 0;
  }

  /** Whether no object of the element read last has a name twice. */
  hasDistinctNames(): boolean {
    const { element } = this;
    element.findsRepeats = true;
    scanElement(this.#body, element.start, this.#keyName, element);
    element.findsRepeats = false;
    return !element.mayRepeatNames;
  }

  /** Passes over elements the caller knows already. */
  skipTo(end: number): void {
    this.at = end;
  }

  #problem(what: string, at: number): MalformedList {
    const where = at >= this.#body.length ? "it ends too early" : `at byte ${at}`;
    return new MalformedList(this.#resource, `${where}: ${what}`);
  }

  #lacks(field: string): MalformedList {
    return new MalformedList(
      this.#resource,
      `the object at byte ${this.at} has no text in its field ${field}`,
    );
  }
}
