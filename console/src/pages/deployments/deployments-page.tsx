import { Empty } from "../../ui/panel.tsx";

export default function DeploymentsPage() {
  return <Empty title="Deployments" />;
}
