import { randomUUID } from "node:crypto";
import { ConnectionFrames } from "../publishers/connection/frames.ts";

interface FramesDeps {
  /** nomad://<cluster>/<region> */
  readonly source: string;
  readonly nowMs: () => number;
}

export function connectionFrames(
  { source, nowMs }: FramesDeps,
  connectionId = randomUUID(),
): ConnectionFrames {
  return new ConnectionFrames({ source, connectionId, nowMs });
}
