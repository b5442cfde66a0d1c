import { route } from "../../app/router.ts";
import { Board } from "./board.tsx";
import { DeploymentDetails } from "./deployment-details.tsx";

/** All rollouts; or one of them, at `#/deployments/<namespace>/<id>`. */
export default function DeploymentsPage() {
  const [, namespace = "", id = ""] = route.value.path;
  return id === "" ? <Board /> : <DeploymentDetails key={id} namespace={namespace} id={id} />;
}
