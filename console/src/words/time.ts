const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (number: number) => String(number).padStart(2, "0");

/** `12:03:07`, in the reader's time zone; with the day where it is another. */
export function timeOfDay(ms: number, nowMs: number): string {
  const date = new Date(ms);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return new Date(nowMs).toDateString() === date.toDateString() ? time : `${dayOf(date)} ${time}`;
}

/** `12:03:07.412` */
export function preciseTime(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Exactly when, for who hovers: as it was written, and where the reader is. */
export function exactTime(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return text;
  const date = new Date(ms);
  return `${text}\n${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${preciseTime(ms)} ${zoneOf(date)}`;
}

/** By its offset: asking for the name costs more than a line of a list may. */
const zones = new Map<number, string>();

function zoneOf(date: Date): string {
  const offset = date.getTimezoneOffset();
  const known = zones.get(offset);
  if (known !== undefined) return known;
  const parts = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts(date);
  const zone = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  zones.set(offset, zone);
  return zone;
}

/** `12 s`, `4 min`, `3 h`, `2 d`: in whole units, so that it does not jump. */
export function duration(ms: number): string {
  const length = Math.max(0, ms);
  if (length < SECOND) return `${Math.round(length)} ms`;
  if (length < 2 * MINUTE) return `${Math.floor(length / SECOND)} s`;
  if (length < 2 * HOUR) return `${Math.floor(length / MINUTE)} min`;
  if (length < 2 * DAY) return `${Math.floor(length / HOUR)} h`;
  return `${Math.floor(length / DAY)} d`;
}

/** `12 s ago`; what a clock that is ahead makes of the future is `now`. */
export function age(ms: number, nowMs: number): string {
  return nowMs - ms < SECOND ? "now" : `${duration(nowMs - ms)} ago`;
}

function dayOf(date: Date): string {
  return date.toLocaleDateString(undefined, { day: "numeric", month: "short" });
}

/** Ms since 1970 of an RFC 3339 time; undefined of anything else, which Date.parse may take for a time. */
export function msOfTime(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

const UNITS = { s: SECOND, m: MINUTE, h: HOUR, d: DAY } as const;

/** `90s`, `1h30m` in ms, as the bridge reads ages; undefined of anything else. */
export function msOfAge(text: string): number | undefined {
  if (!/^(\d+[smhd])+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)([smhd])/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit as keyof typeof UNITS], 0);
}

/** As inputs of browsers have it: in the reader's time zone, without naming it. */
export function localText(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * MINUTE).toISOString().slice(0, 19);
}
