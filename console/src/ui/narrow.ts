import { signal } from "@preact/signals";

const query = matchMedia("(max-width: 720px)");

/** Whether the page is as narrow as a phone: what stands in a line there stands in two. */
export const isNarrow = signal(query.matches);

query.addEventListener("change", ({ matches }) => {
  isNarrow.value = matches;
});
