import { DAYS, type MuteWindow } from "../schemas/routes.ts";

/** Whether `now` (ms since 1970) lies in one of the windows, by the clocks of their time zones. */
export function isMuted(windows: readonly MuteWindow[], now: number): boolean {
  return windows.some((window) => {
    const { day, minute } = localTime(now, window.timeZone);
    const isIn = (on: number): boolean =>
      window.days === undefined || window.days.includes(DAYS[on] ?? "mon");
    if (window.from < window.to) return isIn(day) && minute >= window.from && minute < window.to;
    // Over midnight: it belongs to the day on which it begins.
    return (isIn(day) && minute >= window.from) || (isIn((day + 6) % 7) && minute < window.to);
  });
}

function localTime(now: number, timeZone: string): { day: number; minute: number } {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const day = DAYS.findIndex((name) => name === parts.get("weekday")?.toLowerCase());
  return { day, minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
}
