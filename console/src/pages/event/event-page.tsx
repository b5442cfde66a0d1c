import { route } from "../../app/router.ts";
import { Empty } from "../../ui/panel.tsx";
import { EventView } from "./event-view.tsx";
import css from "./event.module.css";

/** One event alone: what a link to it opens. */
export default function EventPage() {
  const [, cursor] = route.value.path;
  if (cursor === undefined) {
    return <Empty title="Which event?">The address of an event ends in its cursor.</Empty>;
  }
  return (
    <div class={css.page}>
      <EventView cursor={cursor} isAlone />
    </div>
  );
}
