import { once } from "node:events";
import { expect, it } from "vitest";
import { StatePlaces } from "../../src/http/state-places.ts";
import { EVERYTHING, type Access } from "../../src/publishers/selection/access.ts";
import { socketFrom } from "../support/http-messages.ts";

const LIMIT = expect.objectContaining({ code: "LIMIT" });
const token = (name: string): Access => ({ name, maySee: () => true });
const from = (remoteAddress = "192.0.2.7") => ({ socket: socketFrom(remoteAddress) });

it("places are as many as one token may have, and come back once each", () => {
  const places = new StatePlaces({ maxStates: 10, maxStatesPerHolder: 3 });
  const take = () => places.take(from(), token("a"));
  const [release] = [take(), take(), take()];
  expect(take).toThrow(LIMIT);
  release?.();
  release?.();
  take();
  expect(take).toThrow(LIMIT);
  expect(() => places.take(from(), token("b"))).not.toThrow();
});

it("places are as many as there are, whoever has them", () => {
  const places = new StatePlaces({ maxStates: 2, maxStatesPerHolder: 2 });
  const [release] = ["a", "b"].map((name) => places.take(from(), token(name)));
  expect(() => places.take(from(), token("c"))).toThrow(LIMIT);
  release?.();
  places.take(from(), token("c"));
  expect(() => places.take(from(), token("d"))).toThrow(LIMIT);
});

it("a connection that ends, or has ended, gives its place back", async () => {
  const places = new StatePlaces({ maxStates: 1, maxStatesPerHolder: 1 });
  const request = from();
  places.take(request, token("a"));
  expect(() => places.take(from(), token("a"))).toThrow(LIMIT);
  request.socket.destroy();
  await once(request.socket, "close");
  places.take(request, token("a"));
  places.take(from(), token("a"));
});

it("where nobody is asked who they are, each address has places of its own", () => {
  const places = new StatePlaces({ maxStates: 10, maxStatesPerHolder: 1 });
  places.take(from("192.0.2.7"), EVERYTHING);
  expect(() => places.take(from("192.0.2.7"), EVERYTHING)).toThrow(LIMIT);
  expect(() => places.take(from("192.0.2.8"), EVERYTHING)).not.toThrow();
});

it("a connection that carries many requests at once is listened to once", () => {
  const places = new StatePlaces({ maxStates: 50, maxStatesPerHolder: 50 });
  const request = from();
  const releases = Array.from({ length: 40 }, () => places.take(request, token("a")));
  expect(request.socket.listenerCount("close")).toBe(1);
  for (const release of releases) release();
});
