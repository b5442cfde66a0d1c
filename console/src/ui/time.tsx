import { now, showsAges } from "../app/clock.ts";
import { asOf } from "../app/router.ts";
import { age, exactTime, preciseTime, timeOfDay } from "../words/time.ts";

interface TimeProps {
  /** RFC 3339. */
  readonly at: string;
  /** `age`: 12 s ago; `clock`: 12:03:07; `precise`: with ms. Default: as the reader has chosen. */
  readonly as?: "age" | "clock" | "precise";
}

/** When, so that it says exactly when on hover. */
export function Time({ at, as = usual() }: TimeProps) {
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={exactTime(at)}>
      {Number.isNaN(ms) ? at : textOf(ms, as)}
    </time>
  );
}

/** Where the page shows another time, an age would be one of now. */
function usual(): "age" | "clock" {
  return showsAges.value && asOf.value === "" ? "age" : "clock";
}

function textOf(ms: number, as: "age" | "clock" | "precise"): string {
  if (as === "precise") return preciseTime(ms);
  return as === "age" ? age(ms, now.value) : timeOfDay(ms, now.value);
}
