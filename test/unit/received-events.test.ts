import { describe, expect, it } from "vitest";
import { ReceivedEvents } from "../support/received-events.ts";

const log = (...sequences: number[]) => sequences.map((sequence) => ({ sequence, id: `e${sequence}` }));
const LOGS = new Map([
  ["eu", log(1, 2, 3)],
  ["us", log(1, 2)],
]);

it("holds what the server says of where to go on to what it sent", () => {
  const events = new ReceivedEvents("somebody");
  events.connected(undefined);
  events.take("eu", { sequence: 1, id: "e1" });
  events.told("eu:a-1,us:a-0");
  expect(events.verdict(new Map())).toMatchObject({ lost: [], duplicated: [] });
  events.told("eu:a-0");
  events.told("us:a-1");
  expect(events.verdict(new Map())).toMatchObject({ lost: { length: 1 }, duplicated: { length: 1 } });
});

function received(...taken: readonly (readonly [feed: string, sequence: number] | string)[]) {
  const events = new ReceivedEvents("somebody");
  events.connected(undefined);
  for (const one of taken) {
    if (typeof one === "string") events.connected(one);
    else events.take(one[0], { sequence: one[1], id: `e${one[1]}` });
  }
  const { lost, duplicated, outOfOrder } = events.verdict(LOGS);
  return { lost: lost.length, duplicated: duplicated.length, outOfOrder: outOfOrder.length };
}

describe("what a subscriber of several feeds got is held to their logs", () => {
  it("is right where all came in the order of each feed, also over several connections", () => {
    expect(received(["eu", 1], ["us", 1], ["eu", 2], "eu:a-2,us:a-1", ["us", 2], ["eu", 3])).toEqual({
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
    });
  });

  it("may have what came after its cursor once more", () => {
    expect(
      received(["eu", 1], ["us", 1], ["eu", 2], "eu:a-1,us:a-1", ["eu", 2], ["us", 2], ["eu", 3]),
    ).toEqual({ lost: 0, duplicated: 0, outOfOrder: 0 });
  });

  it.each([
    [
      "an event that never comes",
      [
        ["eu", 1],
        ["eu", 2],
        ["eu", 3],
        ["us", 1],
      ],
      { lost: 1 },
    ],
    ["one before the cursor", [["eu", 1], ["eu", 2], "eu:a-2", ["eu", 2]], { duplicated: 1 }],
    [
      "one twice",
      [
        ["us", 1],
        ["us", 1],
        ["us", 2],
      ],
      { duplicated: 1 },
    ],
    ["one that is passed over", [["eu", 2]], { outOfOrder: 1 }],
  ] as const)("is wrong with %s", (_what, taken, expected) => {
    expect(received(...taken)).toMatchObject(expected);
  });
});
