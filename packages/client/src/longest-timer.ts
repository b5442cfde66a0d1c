/** A longer timer fires at once, in Node and in browsers. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
