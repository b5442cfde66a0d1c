/** A server as the others see it. */
export interface SimulatedServer {
  readonly name: string;
  /** Of its gossip and its RPC, without ports. */
  readonly address: string;
  readonly status: "alive" | "leaving" | "left" | "failed";
  readonly version: string;
  readonly healthy: boolean;
}

/** What the cluster tells of itself. Nomad has no index of it: whoever wants to know asks again. */
export class Operator {
  servers: readonly SimulatedServer[] = [
    { name: "server-1", address: "10.0.0.1", status: "alive", version: "2.0.5", healthy: true },
  ];
  /** Name of the server that leads. */
  leader = "server-1";
  scheduler: Readonly<Record<string, boolean | number | string>> = {
    SchedulerAlgorithm: "binpack",
    MemoryOversubscriptionEnabled: false,
    RejectJobRegistration: false,
    PauseEvalBroker: false,
    CreateIndex: 5,
    ModifyIndex: 5,
  };
  /** Paths behind /v1/ that this version of Nomad does not know yet. */
  readonly lacks = new Set<string>();

  get leaderAddress(): string {
    const leader = this.servers.find(({ name }) => name === this.leader);
    return leader === undefined ? "" : `${leader.address}:4647`;
  }
}
