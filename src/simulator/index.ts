export { createSimulator, type Simulator, type SimulatorOptions, type TrueState } from "./simulator.ts";
export { canonicalStub } from "./canonical.ts";
export {
  FAULT_KINDS,
  InvalidFault,
  parseFaults,
  type FaultHandle,
  type FaultKind,
  type FaultRule,
} from "./fault-rules.ts";
export type { Faults } from "./faults.ts";
export type { Cluster } from "./cluster/cluster.ts";
export type { JobInput } from "./cluster/jobs.ts";
export { JOURNALLED, type Journal, type JournalEntry, type Journalled } from "./journal.ts";
export type { Snapshot } from "./raft.ts";
