import { useEffect, useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { follow } from "../../feed/follow.ts";
import type { DeploymentFacts } from "../../rollouts/facts.ts";
import type { ShownTime } from "../../words/shown-time.ts";
import { NO_STEPS, readAndFollow, type Steps, type StepsSource } from "./rollout-steps.ts";

const BRIDGE: StepsSource = {
  head: async (gone) => (await api(gone).about()).feed.head,
  history: (query, gone) => api(gone).history(query),
  follow,
};

/** What happened in a rollout, oldest first; what happens now, too, where it is not over. */
export function useSteps(rollout: DeploymentFacts, shown: ShownTime): Steps {
  const [read, setRead] = useState(NO_STEPS);
  const { subject } = rollout;
  const when = JSON.stringify(shown);
  useEffect(() => {
    setRead(NO_STEPS);
    return shown.kind === "asking" ? undefined : readAndFollow(rollout, shown, BRIDGE, setRead);
    // That it is over is one more step of what is followed.
  }, [subject, when]);
  return read;
}
