import { Empty } from "../../ui/panel.tsx";

export default function EventPage() {
  return <Empty title="Event" />;
}
