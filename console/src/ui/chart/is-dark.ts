import { computed, signal } from "@preact/signals";
import { theme } from "../../app/theme.ts";

const query = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(query.matches);

query.addEventListener("change", ({ matches }) => {
  isSystemDark.value = matches;
});

/** Whether the page is dark: what is painted, and not styled, must be painted anew. */
export const isDark = computed(() =>
  theme.value === "system" ? isSystemDark.value : theme.value === "dark",
);
