import { describe, expect, test } from "vitest";
import { signalsOf } from "../../src/events/signals.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { changeOf, SAMPLES } from "./event-fixtures.ts";

type Fields = Record<string, unknown>;
/** Resource, fields before (undefined: the object was not there), fields after (undefined: it is gone), signals. */
export type Row = [what: string, before: Fields | undefined, after: Fields | undefined, signals: string[]];

function fired(resource: ResourceType, before: Fields | undefined, after: Fields | undefined): string[] {
  const side = (fields: Fields | undefined) => fields && { ...SAMPLES[resource], ...fields };
  return signalsOf(changeOf(resource, side(before), side(after))).map(({ name }) => name);
}

export function signalTable(resource: ResourceType, rows: Row[]): void {
  describe(`signals of ${resource}`, () => {
    test.each(rows)("%s", (_what, before, after, signals) => {
      expect(fired(resource, before, after)).toEqual(signals);
    });
  });
}
