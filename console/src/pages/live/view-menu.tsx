import { queryValue, setQuery } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import {
  DENSITIES,
  EVENT_COLUMNS,
  USUAL_COLUMNS,
  type Density,
  type EventColumn,
} from "../../ui/event-columns.ts";
import { Popover } from "../../ui/popover.tsx";
import css from "./live.module.css";

export function densityInUse(): Density {
  return DENSITIES.find((density) => density === queryValue("density")) ?? "normal";
}

export function nextDensity(): void {
  const at = DENSITIES.indexOf(densityInUse());
  setDensity(DENSITIES[(at + 1) % DENSITIES.length] ?? "normal");
}

function setDensity(density: Density): void {
  setQuery({ density: density === "normal" ? null : density });
}

export function columnsInUse(): readonly EventColumn[] {
  const asked = queryValue("columns").split(",");
  const known = EVENT_COLUMNS.map(({ id }) => id).filter((id) => asked.includes(id));
  return known.length === 0 ? USUAL_COLUMNS : known;
}

/** Whether events are put together by what caused them. */
export function isGrouped(): boolean {
  return queryValue("group") === "cause";
}

export function toggleGroups(): void {
  setQuery({ group: isGrouped() ? null : "cause" });
}

/** How lines look, and what stands in them. */
export function ViewMenu() {
  return (
    <Popover label="View" icon="state" iconOnly align="end" hint="d">
      {() => <View />}
    </Popover>
  );
}

function View() {
  const columns = columnsInUse();
  const toggle = (id: EventColumn) => {
    const next = columns.includes(id) ? columns.filter((other) => other !== id) : [...columns, id];
    const isUsual = next.length === USUAL_COLUMNS.length && next.every((one) => USUAL_COLUMNS.includes(one));
    setQuery({ columns: isUsual ? null : next.join() });
  };
  return (
    <div class={css.view}>
      <h2>Density</h2>
      <div class={css.quick} role="group" aria-label="Density">
        {DENSITIES.map((density) => (
          <Button key={density} pressed={density === densityInUse()} onClick={() => setDensity(density)}>
            {density}
          </Button>
        ))}
      </div>
      <label class={css.check}>
        <input type="checkbox" checked={isGrouped()} onChange={toggleGroups} />
        Put together what has one cause
      </label>
      <h2>Columns</h2>
      <ul class={css.columns}>
        {EVENT_COLUMNS.map(({ id, label }) => (
          <li key={id}>
            <label>
              <input
                type="checkbox"
                checked={columns.includes(id)}
                disabled={id === "time"}
                onChange={() => toggle(id)}
              />
              {label}
            </label>
          </li>
        ))}
      </ul>
    </div>
  );
}
