import { Empty } from "../../ui/panel.tsx";

export default function ClusterPage() {
  return <Empty title="Cluster" />;
}
