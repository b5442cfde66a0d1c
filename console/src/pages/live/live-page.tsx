import { Empty } from "../../ui/panel.tsx";

export default function LivePage() {
  return <Empty title="Live" />;
}
