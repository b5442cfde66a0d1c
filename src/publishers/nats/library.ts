import { loadPeer } from "../load-peer.ts";

const PEER = {
  what: "A destination of type nats",
  packages: ["@nats-io/transport-node@3", "@nats-io/jetstream@3"],
};

export type NatsLibrary = Awaited<ReturnType<typeof load>>;

/** @throws where it is not installed, saying how to install it */
export async function natsLibrary(): Promise<NatsLibrary> {
  return loadPeer(PEER, load);
}

async function load() {
  const [transport, { jetstream }] = await Promise.all([
    import("@nats-io/transport-node"),
    import("@nats-io/jetstream"),
  ]);
  return { ...transport, jetstream };
}
