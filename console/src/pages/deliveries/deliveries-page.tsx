import { Empty } from "../../ui/panel.tsx";

export default function DeliveriesPage() {
  return <Empty title="Deliveries" />;
}
