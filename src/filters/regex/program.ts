import type { CharacterSet } from "./character-set.ts";
import { InvalidRegex, type Assertion, type Node } from "./syntax.ts";

/** Bounds what each character of a text can cost, and what repetitions of repetitions can grow to. @internal */
export const MAX_PROGRAM_SIZE = 1000;

/** Instructions of a machine that may be in several places at once. */
type Instruction =
  | { readonly kind: "character"; readonly set: CharacterSet; readonly next: number }
  | { readonly kind: "assertion"; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: "fork"; readonly next: readonly number[] }
  | { readonly kind: "match" };

export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
}

/** @throws InvalidRegex where it would be larger than `MAX_PROGRAM_SIZE`. */
export function compileRegex(node: Node): Program {
  const compiler = new Compiler();
  const start = compiler.compile(node, compiler.add({ kind: "match" }));
  return { instructions: compiler.instructions, start };
}

/** Works from the end to the beginning: what follows a node is known when the node's turn comes. */
class Compiler {
  readonly instructions: Instruction[] = [];
  #visits = 0;

  /** Answers where the node begins. */
  compile(node: Node, next: number): number {
    // A repetition of what needs no instruction costs time all the same.
    if (++this.#visits > 4 * MAX_PROGRAM_SIZE) throw tooLarge();
    switch (node.kind) {
      case "set":
        return this.add({ kind: "character", set: node.set, next });
      case "assertion":
        return this.add({ kind: "assertion", assertion: node.assertion, next });
      case "sequence":
        return node.items.reduceRight((following, item) => this.compile(item, following), next);
      case "choice":
        return this.add({ kind: "fork", next: node.options.map((option) => this.compile(option, next)) });
      case "repeat":
        return this.#repeat(node, next);
      default:
        return node satisfies never;
    }
  }

  add(instruction: Instruction): number {
    if (this.instructions.length === MAX_PROGRAM_SIZE) throw tooLarge();
    return this.instructions.push(instruction) - 1;
  }

  #repeat({ item, least, most }: Node & { readonly kind: "repeat" }, next: number): number {
    let following = most === Number.POSITIVE_INFINITY ? this.#star(item, next) : next;
    const optional = most === Number.POSITIVE_INFINITY ? 0 : most - least;
    for (let copy = 0; copy < optional; copy++) {
      following = this.add({ kind: "fork", next: [this.compile(item, following), next] });
    }
    for (let copy = 0; copy < least; copy++) following = this.compile(item, following);
    return following;
  }

  /** Its fork is added before what it repeats, so that the repeated can lead back to it. */
  #star(item: Node, next: number): number {
    const fork = this.add({ kind: "fork", next: [next] });
    const begin = this.compile(item, fork);
    this.instructions[fork] = { kind: "fork", next: [begin, next] };
    return fork;
  }
}

function tooLarge(): InvalidRegex {
  return new InvalidRegex(`too large: it needs more than ${MAX_PROGRAM_SIZE} states`, 0);
}
