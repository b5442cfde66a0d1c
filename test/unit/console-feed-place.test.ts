import { expect, it } from "vitest";
import { feedPlaceOf, hashElsewhere } from "../../console/src/words/feed-place.ts";

it.each([
  ["http://127.0.0.1:4650/", undefined],
  ["http://127.0.0.1:4650/v1/feeds/eu/", { name: "eu", process: "http://127.0.0.1:4650/" }],
  ["https://a.example/nomad/v1/feeds/eu.1/", { name: "eu.1", process: "https://a.example/nomad/" }],
])("knows of %s which feed it is of", (url, expected) => {
  expect(feedPlaceOf(url)).toEqual(expected);
});

it.each([
  ["#/state/jobs?namespace=qa&sort=name", "#/state/jobs?namespace=qa&sort=name"],
  ["#/live?filter=x&open=k3x-1", "#/live?filter=x"],
  ["#/cluster?at=2026-11-30T10:00:00Z", "#/cluster?at=2026-11-30T10%3A00%3A00Z"],
  ["#/cluster?at=k3x1a-120", "#/cluster"],
  ["#/event/k3x1a-120", "#/live"],
  ["", ""],
])("keeps of %s what another feed may have too", (hash, expected) => {
  expect(hashElsewhere(hash)).toBe(expected);
});
