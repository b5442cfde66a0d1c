import { Empty } from "../../ui/panel.tsx";

export default function ObjectPage() {
  return <Empty title="Object" />;
}
