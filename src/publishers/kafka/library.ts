import { loadPeer } from "../load-peer.ts";

const PEER = { what: "A destination of type kafka", packages: ["@platformatic/kafka@2"] };

export type KafkaLibrary = Awaited<ReturnType<typeof load>>;

/** @throws where it is not installed, saying how to install it */
export async function kafkaLibrary(): Promise<KafkaLibrary> {
  return loadPeer(PEER, load);
}

function load() {
  return import("@platformatic/kafka");
}
