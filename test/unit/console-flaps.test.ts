import { describe, expect, it } from "vitest";
import { flapsOf, flapWords, jobFlapWords } from "../../console/src/pages/cluster/flaps.ts";
import { feedEvent, timeAt } from "../support/console/feed-events.ts";

let made = 0;
const node = (...signals: string[]) =>
  feedEvent(++made, made, { subject: "nodes/-/n1", name: "node-1", stub: {}, signals });
const allocation = (id: string, name: string, signal: string, restarts?: [from: number, to: number]) =>
  feedEvent(++made, made, {
    subject: `allocations/default/${id}`,
    name,
    stub: {},
    signals: [signal],
    ...(restarts && {
      changes: [{ path: "/TaskStates/main/Restarts", from: restarts[0], to: restarts[1] }],
    }),
  });

describe("what goes down and up again and again", () => {
  it("is a node, by its changes between the two", () => {
    const once = [node("node.down"), node("node.ready")];
    expect(flapsOf(once).nodes.size).toBe(0);
    const again = flapsOf([...once, node("node.disconnected"), node("node.down"), node("node.ready")]).nodes;
    const flaps = again.get("nodes/-/n1");
    expect(flaps).toEqual({ name: "node-1", downs: 2, ups: 2 });
    expect(flaps && flapWords(flaps)).toBe("down twice, up twice");
  });

  it("is no node that is new", () => {
    const events = [node("node.registered", "node.ready"), node("node.down"), node("node.ready")];
    expect(flapsOf(events).nodes.size).toBe(0);
  });

  it("is a job whose allocation of one name restarts and fails, through those that replace it", () => {
    made = 0;
    const { jobs } = flapsOf([
      allocation("a1", "web.api[0]", "task.restarted", [0, 2]),
      allocation("a1", "web.api[0]", "allocation.failed"),
      allocation("a2", "web.api[0]", "allocation.failed"),
      allocation("b1", "web.api[1]", "allocation.failed"),
    ]);
    const [job] = jobs;
    expect(job).toEqual({
      namespace: "default",
      job: "web",
      restarts: 2,
      failures: 3,
      worst: "web.api[0]",
      worstTimes: 4,
      last: timeAt(4),
    });
    expect(job && jobFlapWords(job)).toBe("2 restarts, 3 failures");
  });

  it("is no job of which every allocation failed once", () => {
    const failures = Array.from({ length: 9 }, (_, at) =>
      allocation(`c${at}`, `web.api[${at}]`, "allocation.failed"),
    );
    expect(flapsOf(failures).jobs).toEqual([]);
  });
});
