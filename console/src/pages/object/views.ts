/** How an object's history is shown, from the fewest words to all of them; and why it is so. */
export const VIEWS = ["compact", "timeline", "history", "why"] as const;
export type View = (typeof VIEWS)[number];
