import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "./button.tsx";
import css from "./dialog.module.css";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** `side`: a sheet at the edge, the page stays in sight. Default: in the middle. */
  readonly place?: "middle" | "side" | "top";
  /** Shows no title; it is still told to who hears the page. */
  readonly bare?: boolean;
}

/** Something above the page, with all that browsers do for it: focus stays in it, Escape closes it. */
export function Dialog({ title, onClose, children, place = "middle", bare = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    if (dialog?.open === false) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class={`${css.dialog} ${css[place] ?? ""}`}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class={css.inside}>
        {!bare && (
          <header class={css.head}>
            <h2>{title}</h2>
            <Button icon="close" label="Close" kind="bare" hint="Esc" onClick={onClose} />
          </header>
        )}
        {children}
      </div>
    </dialog>
  );
}
