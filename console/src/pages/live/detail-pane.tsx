import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { eventHref } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Skeleton } from "../../ui/panel.tsx";
import css from "./live.module.css";

interface DetailPaneProps {
  readonly cursor: string;
  readonly onClose: () => void;
  readonly onMove: (step: number) => void;
}

type View = ComponentType<{ cursor: string }>;
let loaded: View | undefined;

/** One event beside the others. */
export function DetailPane({ cursor, onClose, onMove }: DetailPaneProps) {
  const [View, setView] = useState<View | undefined>(() => loaded);
  useEffect(() => {
    if (View !== undefined) return;
    void import("../event/event-view.tsx").then(({ EventView }) => {
      loaded = EventView;
      setView(() => EventView);
    });
  }, []);
  return (
    <aside class={css.pane} aria-label="The chosen event">
      <div class={css.paneBar}>
        <Button icon="up" kind="bare" label="The one after it" hint="k" onClick={() => onMove(-1)} />
        <Button icon="down" kind="bare" label="The one before it" hint="j" onClick={() => onMove(1)} />
        <a class={css.alone} href={eventHref(cursor)}>
          Open alone
        </a>
        <Button icon="close" kind="bare" label="Close" hint="Esc" onClick={onClose} />
      </div>
      <div class={css.paneBody}>
        {View === undefined ? <Skeleton lines={10} /> : <View key={cursor} cursor={cursor} />}
      </div>
    </aside>
  );
}
