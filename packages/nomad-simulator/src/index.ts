export { createSimulator, type Simulator, type SimulatorOptions, type TrueState } from "./simulator.ts";
export { canonicalStub } from "./canonical.ts";
export { FAULT_KINDS, InvalidFault, parseFaults, STREAM_FAULT_KINDS, type FaultRule } from "./fault-rules.ts";
export type { Snapshot } from "./raft.ts";
