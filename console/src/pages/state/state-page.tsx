import { Empty } from "../../ui/panel.tsx";

export default function StatePage() {
  return <Empty title="State" />;
}
