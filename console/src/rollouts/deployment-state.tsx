import { Chip } from "../ui/chip.tsx";
import { deploymentTone } from "../words/deployment.ts";
import { stateOf, type DeploymentFacts } from "./facts.ts";

/** How a deployment stands, in a word. */
export function DeploymentState({ deployment }: { deployment: DeploymentFacts }) {
  const word = stateOf(deployment);
  return <Chip tone={deploymentTone(word)}>{word}</Chip>;
}
