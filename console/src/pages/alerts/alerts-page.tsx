import { Empty } from "../../ui/panel.tsx";

export default function AlertsPage() {
  return <Empty title="Alerts" />;
}
