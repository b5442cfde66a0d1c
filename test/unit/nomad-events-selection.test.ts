import { describe, expect, it } from "vitest";
import { requestOf, selectedOf, type EventHead } from "../../src/publishers/nomad-events/selection.ts";
import { SplitFrame } from "../../src/publishers/nomad-events/split-frame.ts";

const job = (key: string, namespace = "default"): EventHead => ({
  topic: "Job",
  key,
  namespace,
  filterKeys: [],
});
const evaluation = (key: string, ...filterKeys: string[]): EventHead => ({
  topic: "Evaluation",
  key,
  namespace: "default",
  filterKeys,
});
const node: EventHead = { topic: "Node", key: "n1", namespace: "", filterKeys: [] };

function selected(query: string, ...events: EventHead[]): number[] {
  const request = requestOf(new URLSearchParams(query));
  if (request === undefined) throw new Error(`${query} is refused`);
  return selectedOf(events, request, request.namespace === "*" ? "all" : new Set([request.namespace]));
}

describe("what a client of Nomad's event stream gets", () => {
  it.each([
    ["", [0, 1, 2]],
    ["topic=*", [0, 1, 2]],
    ["topic=Job", [0]],
    ["topic=Job:web", [0]],
    ["topic=Job:other", []],
    ["topic=Evaluation:web", [1]],
    ["topic=Node&topic=Job", [0, 2]],
    ["namespace=prod", [2]],
  ])("%s", (query, places) => {
    expect(selected(query, job("web"), evaluation("e1", "web", "d1"), node)).toEqual(places);
  });

  it("has Nomad's own quirks: `*` beside another key is no longer all, and two keys that match give it twice", () => {
    expect(selected("topic=Job:*&topic=Job:web", job("web"), job("db"))).toEqual([0]);
    expect(selected("topic=Evaluation:e1&topic=Evaluation:web", evaluation("e1", "web"))).toEqual([0, 0]);
    expect(selected("topic=*:web&topic=Job:db", job("web"), job("db"), node)).toEqual([0, 1]);
  });

  it("leaves to Nomad what it refuses", () => {
    expect(requestOf(new URLSearchParams("topic=Job:a:b"))).toBeUndefined();
    expect(requestOf(new URLSearchParams("index=soon"))).toBeUndefined();
    expect(requestOf(new URLSearchParams("index=&topic=Job"))?.index).toBe(0);
  });
});

describe("a frame", () => {
  const events = [
    '{"Topic":"Job","Key":"a","Namespace":"default","FilterKeys":null,"Payload":{"Job":{"Meta":{"x":"\\"]},{\\\\"}}}}',
    '{"Topic":"Job","Key":"b","Namespace":"default","FilterKeys":["z"],"Payload":{"Events":[1,[2]]}}',
    '{"Topic":"Node","Key":"ü,]","Namespace":"","FilterKeys":null,"Payload":{}}',
  ];
  it.each([
    ["as Nomad writes it", (list: string) => `{"Index":7,"Events":[${list}]}`],
    ["with its members the other way round", (list: string) => `{"Events":[${list}],"Index":7}`],
  ])("is sent in parts, byte for byte, %s", (_name, write) => {
    const frame = new SplitFrame({
      sequence: 1,
      index: 7,
      isExtra: false,
      line: Buffer.from(write(events.join(","))),
    });
    expect(frame.heads.map(({ key }) => key)).toEqual(["a", "b", "ü,]"]);
    expect(frame.with([0, 1, 2])).toBe(frame.line);
    expect(frame.with([1]).toString()).toBe(`${write(events[1] ?? "")}\n`);
    expect(frame.with([0, 2]).toString()).toBe(`${write(`${events[0]},${events[2]}`)}\n`);
    expect(frame.with([1, 1]).toString()).toBe(`${write(`${events[1]},${events[1]}`)}\n`);
  });
});
