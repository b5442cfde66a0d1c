import { useEffect, useRef, useState } from "preact/hooks";
import { setQuery } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Skeleton } from "../../ui/panel.tsx";
import { checkExpression } from "../../ui/filter/check-expression.ts";
import type { KnownValues } from "../../ui/filter/completion.ts";
import css from "../../ui/filter/filter-input.module.css";

interface FilterEditorProps {
  readonly value: string;
  readonly known: KnownValues;
  readonly onClose: () => void;
}

/** The expression in an editor, whose code comes when it is first opened. */
export function FilterEditor({ value, known, onClose }: FilterEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const apply = useRef((text: string) => setQuery({ filter: text }, { replace: false }));
  const [isThere, setThere] = useState(false);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let close = (): void => undefined;
    const stop = new AbortController();
    void import("./editor.ts").then(({ openEditor }) => {
      if (place.current === null || stop.signal.aborted) return;
      setThere(true);
      close = openEditor({
        parent: place.current,
        text: value,
        known,
        check: async (text) => {
          const found = await checkExpression(text, stop.signal);
          setProblem(found?.words);
          return found;
        },
        onApply: (text) => apply.current(text),
        onClose,
      });
    });
    return () => {
      stop.abort();
      close();
    };
  }, []);
  return (
    <section class={css.editor} aria-label="Filter editor">
      {!isThere && <Skeleton lines={2} />}
      <div ref={place} />
      <p class={css.editorHint}>
        <span role="status" data-wrong={problem !== undefined}>
          {problem}
        </span>
        <span>
          <kbd>Ctrl</kbd> <kbd>↵</kbd> applies, <kbd>Esc</kbd> closes
        </span>
        <Button onClick={onClose}>Close the editor</Button>
      </p>
    </section>
  );
}
