import type { Delivery } from "nomad-changefeed-client";
import { Chip } from "../../ui/chip.tsx";

const LOOKS = {
  delivering: ["ok", "delivering"],
  retrying: ["warn", "trying again"],
  "circuit-open": ["error", "circuit open"],
  paused: ["info", "paused"],
  waiting: ["warn", "no worker has it"],
  removed: ["plain", "removed"],
} as const satisfies Record<Delivery["state"], readonly [string, string]>;

export function StateChip({ state }: Pick<Delivery, "state">) {
  const [tone, words] = LOOKS[state];
  return <Chip tone={tone}>{words}</Chip>;
}
