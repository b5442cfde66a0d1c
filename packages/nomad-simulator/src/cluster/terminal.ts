import type { AllocationStub, ClientStatus } from "../model/allocation.ts";

export function isTerminalClient(status: ClientStatus): boolean {
  return status === "complete" || status === "failed" || status === "lost";
}

/** Whether an allocation will never run again: what garbage collection may take. */
export function isTerminal(stub: AllocationStub): boolean {
  return (
    isTerminalClient(stub.ClientStatus) && (stub.DesiredStatus !== "run" || stub.ClientStatus === "complete")
  );
}
