import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foreignClients, RunningClient, type ForeignClient } from "../support/event-client.ts";
import { simulatedNomad, type SimulatedNomad } from "../support/simulated-nomad.ts";
import { skippedBecause } from "../support/skipped.ts";
import { startStandIn, type StandIn } from "../support/stand-in.ts";
import { until } from "../support/until.ts";

let folder: string;
let nomad: SimulatedNomad;
let standIn: StandIn;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ncf-clients-"));
  nomad = await simulatedNomad({ seed: 9, allocations: 20, namespaces: 2 });
  standIn = await startStandIn({ nomadAddr: nomad.url, folder });
});
afterAll(async () => {
  await standIn.stop();
  await nomad[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const CLIENTS: [string, ForeignClient][] = foreignClients().map((client) => [
  client.name + skippedBecause(client.lacks),
  client,
]);

describe.each(CLIENTS)("a client of Nomad's event stream by %s", (_name, client) => {
  it.skipIf(client.lacks !== undefined)(
    "hears everything here that it hears from Nomad, and nothing else",
    async () => {
      const topics = ["Job:*", "Allocation:*", "Evaluation:*", "Node:*"];
      const begin = { index: nomad.simulator.index, topics };
      using theirs = new RunningClient(client, { ...begin, address: nomad.url });
      using ours = new RunningClient(client, { ...begin, address: standIn.address });
      await until("both hear", () => {
        nomad.simulator.churn(2);
        return theirs.events.length > 100 && ours.events.length > 100;
      });
      const { index } = nomad.simulator;
      const last = (events: RunningClient["events"]) => events.findLastIndex((event) => event.Index <= index);
      await until("both hear", () => {
        nomad.simulator.churn(1);
        return (theirs.events.at(-1)?.Index ?? 0) > index && (ours.events.at(-1)?.Index ?? 0) > index;
      });
      expect(ours.events.slice(0, last(ours.events) + 1)).toEqual(
        theirs.events.slice(0, last(theirs.events) + 1),
      );
    },
  );
});
