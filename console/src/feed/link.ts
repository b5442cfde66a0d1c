import { computed, signal } from "@preact/signals";

/** How one connection to the bridge is. */
export type LinkState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "away"; readonly why: string; readonly retryAtMs: number }
  | { readonly kind: "ended"; readonly why: string };

const links = signal<ReadonlyMap<symbol, LinkState>>(new Map());

export function setLink(id: symbol, state: LinkState): void {
  links.value = new Map(links.value).set(id, state);
}

export function dropLink(id: symbol): void {
  const rest = new Map(links.value);
  rest.delete(id);
  links.value = rest;
}

/** The worst of them: what the page says of itself. Undefined where the page follows nothing. */
export const link = computed<LinkState | undefined>(() => {
  const all = [...links.value.values()];
  const order: readonly LinkState["kind"][] = ["ended", "away", "connecting", "live"];
  return order.map((kind) => all.find((state) => state.kind === kind)).find((state) => state !== undefined);
});
