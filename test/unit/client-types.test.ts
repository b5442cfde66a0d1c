import { describe, expectTypeOf, it } from "vitest";
import * as browser from "../../packages/client/src/browser.ts";
import * as node from "../../packages/client/src/index.ts";
import {
  isAbout,
  subscribe,
  watchState,
  type ChangeEventOf,
  type NomadStub,
  type SnapshotMark,
  type SnapshotObject,
  type TypeName,
  type WatchedState,
} from "../../packages/client/src/index.ts";

/** Held to by the type checker; nothing connects, because nothing is iterated. */
const url = "http://127.0.0.1:4650";
type ItemOf<Feed> = Feed extends AsyncIterable<infer Entry> ? Entry : never;

describe("the types of what a subscription gives", () => {
  const all = subscribe({ url });
  type Any = ItemOf<typeof all>;
  type Of<Type extends Any["type"]> = Extract<Any, { type: Type }>;

  it("narrow by `type` to the resource and its stub", () => {
    type Updated = Of<"nomad.allocation.updated">;
    expectTypeOf<Updated["data"]["resource"]["type"]>().toEqualTypeOf<"allocations">();
    expectTypeOf<Updated["data"]["op"]>().toEqualTypeOf<"update">();
    expectTypeOf<Updated["data"]["after"]>().toEqualTypeOf<NomadStub<"allocations"> | undefined>();
    expectTypeOf<NonNullable<Updated["data"]["after"]>["ClientStatus"]>().toEqualTypeOf<string>();
    expectTypeOf<Updated["data"]["before"]>().toEqualTypeOf<undefined>();
    expectTypeOf<Of<"nomad.node.deleted">["data"]["before"]>().toEqualTypeOf<
      NomadStub<"nodes"> | undefined
    >();
    expectTypeOf<Of<"nomad.feed.baseline">["data"]["count"]>().toEqualTypeOf<number>();
    expectTypeOf<Of<"nomad.feed.gap">["data"]["reason"]>().toEqualTypeOf<
      "expired" | "epoch-changed" | "missing"
    >();
  });

  it("narrow by the resource", () => {
    const narrowed = (item: Any) => (isAbout(item, "jobs") ? item : undefined);
    type Job = NonNullable<ReturnType<typeof narrowed>>;
    expectTypeOf<Job>().toEqualTypeOf<ChangeEventOf<"jobs">>();
    expectTypeOf<
      Job["type"]
    >().toEqualTypeOf<`nomad.job.${"created" | "updated" | "deleted" | "snapshot" | "version"}`>();
  });

  it("hold what was asked for and control events, and nothing else", () => {
    const some = subscribe({ url, types: ["nodes", "nomad.job.deleted"] });
    type Some = Exclude<ItemOf<typeof some>["type"], `nomad.feed.${string}`>;
    expectTypeOf<Some>().toEqualTypeOf<
      `nomad.node.${"created" | "updated" | "deleted" | "snapshot"}` | "nomad.job.deleted"
    >();
    const feed = subscribe({ url, types: ["feed"] });
    expectTypeOf<ItemOf<typeof feed>["type"]>().toExtend<`nomad.feed.${string}`>();
  });

  it("hold notices only where they are asked for", () => {
    const noticed = subscribe({ url, notices: ["client.disconnected"] });
    expectTypeOf<
      Extract<ItemOf<typeof noticed>["type"], `client.${string}`>
    >().toEqualTypeOf<"client.disconnected">();
    expectTypeOf<Extract<Any["type"], `client.${string}` | "nomad.feed.bookmark">>().toBeNever();
  });

  it("refuse types that do not exist", () => {
    // @ts-expect-error -- "allocation" is none
    subscribe({ url, types: ["allocation"] });
    expectTypeOf<"nomad.job.updatd">().not.toExtend<TypeName>();
  });

  it("hold objects and marks only where a snapshot is asked for", () => {
    const some = subscribe({ url, types: ["nomad.node.deleted"], snapshot: true, onexpired: "snapshot" });
    expectTypeOf<ItemOf<typeof some>>().toEqualTypeOf<
      | Extract<Any, { type: "nomad.node.deleted" | `nomad.feed.${string}` }>
      | SnapshotMark
      | SnapshotObject<"nodes">
    >();
    // @ts-expect-error -- its items would not say that there are objects among them
    subscribe({ url, onexpired: "snapshot" });
  });

  it("of a state are objects of what was asked for", () => {
    type Held = Parameters<Parameters<WatchedState<"nodes">["objects"]["forEach"]>[0]>[0];
    expectTypeOf<Held["resource"]["type"]>().toEqualTypeOf<"nodes">();
    expectTypeOf<Held["stub"]>().toEqualTypeOf<NomadStub<"nodes">>();
    // @ts-expect-error -- a state holds objects, whatever was the event
    watchState({ url, types: ["nomad.job.deleted"], signal: AbortSignal.abort() });
  });

  it("are the same in a browser", () => {
    expectTypeOf<typeof browser>().toEqualTypeOf<typeof node>();
  });
});
