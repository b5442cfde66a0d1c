import { isNanos } from "../words/nanos.ts";
import { Time } from "./time.tsx";

/** The time that Nomad wrote as nanoseconds since 1970, beside the number; nothing beside another number. */
export function NanosTime({ digits }: { digits: string }) {
  if (!isNanos(digits)) return null;
  return (
    <span class="muted">
      {" "}
      <Time at={new Date(Number(digits.slice(0, 13))).toISOString()} as="precise" />
    </span>
  );
}
