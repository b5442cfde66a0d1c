/** Where the value of a term is found: names from the event's selectors, or from a loop's own name. */
export interface Selector {
  readonly path: readonly string[];
  /** Which of the names bound around it the path begins with, counted from the outermost; none: the event. */
  readonly slot?: number;
}

export type ValueOperator = "equals" | "contains" | "matches";
type StateOperator = "empty" | "nil";

/** An expression as it was understood. `negated` makes `!=` of `==`, `not in` of `in`, and so on. */
export type Expression =
  | { readonly kind: "and" | "or"; readonly operands: readonly Expression[] }
  | { readonly kind: "not"; readonly operand: Expression }
  | ValueTerm
  | StateTerm
  | Loop;

export interface ValueTerm {
  readonly kind: "value";
  readonly selector: Selector;
  readonly operator: ValueOperator;
  readonly negated: boolean;
  readonly value: string;
}

export interface StateTerm {
  readonly kind: "state";
  readonly selector: Selector;
  readonly operator: StateOperator;
  readonly negated: boolean;
}

/**
 * `any` or `all` over a list or a map. `names` are those of key (or index) and value; one name alone is the value
 * of a list, the key of a map.
 */
export interface Loop {
  readonly kind: "any" | "all";
  readonly selector: Selector;
  readonly names: LoopNames;
  readonly inner: Expression;
}

export type LoopNames =
  | { readonly mode: "one"; readonly name: string }
  | { readonly mode: "pair"; readonly key: string | null; readonly value: string | null };
