import { expect, it } from "vitest";
import { Deadline } from "../support/deadline.ts";
import { WorkerPlace, type PlacedWorker } from "../support/worker-place.ts";

class FakeWorker implements PlacedWorker {
  isRunning = true;
  readonly signals: string[] = [];
  readonly child = { kill: (signal: string) => this.signals.push(signal) > 0 };
  readonly #stopped = Promise.withResolvers<void>();

  /** As one that does not stop until it is killed. */
  stop(): Promise<void> {
    return this.#stopped.promise;
  }

  async kill(): Promise<void> {
    this.isRunning = false;
    this.#stopped.resolve();
  }
}

function placeOf(): { place: WorkerPlace<FakeWorker>; running: () => number; started: FakeWorker[] } {
  const started: FakeWorker[] = [];
  const place = new WorkerPlace("worker 0", () => {
    const worker = new FakeWorker();
    started.push(worker);
    return worker;
  });
  place.begin();
  return { place, started, running: () => started.filter(({ isRunning }) => isRunning).length };
}

it("a worker that is harmed twice while it is down is followed by one, and that one is ended at the close", async () => {
  const { place, running } = placeOf();
  await place.end("killed");
  await place.end("killed");
  place.begin();
  place.begin();
  expect(running()).toBe(1);
  await place.close();
  expect(running()).toBe(0);
});

it("nobody begins in a place that is closed, and who was about to stop is killed", async () => {
  const { place, running } = placeOf();
  const stopping = place.end("stopped");
  place.begin();
  expect(place.worker).toBeUndefined();
  await place.close();
  await stopping;
  place.begin();
  expect(running()).toBe(0);
});

it("who is frozen is not harmed, and goes on when it is thawed", async () => {
  const { place, started, running } = placeOf();
  place.freeze();
  await place.end("killed");
  expect(running()).toBe(1);
  place.thaw();
  place.thaw();
  expect(started[0]?.signals).toEqual(["SIGSTOP", "SIGCONT"]);
  expect(place.healthy).toBe(started[0]);
});

it("a deadline names what it waited for", async () => {
  await expect(new Deadline(10).waitFor("the log is read", new Promise(() => undefined))).rejects.toThrow(
    "gave up after 0.01 s, waiting for: the log is read",
  );
  await expect(new Deadline(60_000).waitFor("nothing", Promise.resolve(5))).resolves.toBe(5);
});
