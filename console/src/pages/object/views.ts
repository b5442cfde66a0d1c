/** How an object's history is shown, from the fewest words to all of them; why it is so, and what each version of a job changed. */
export const VIEWS = ["compact", "timeline", "history", "versions", "why"] as const;
export type View = (typeof VIEWS)[number];
