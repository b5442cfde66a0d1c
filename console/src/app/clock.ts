import { signal } from "@preact/signals";

/** Ms since 1970, moved on every second while somebody looks. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
addEventListener("visibilitychange", () => {
  now.value = Date.now();
});

/** Whether times are shown as ages; else as times of the day. */
export const showsAges = signal(true);
