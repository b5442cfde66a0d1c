import { RequestFailed } from "nomad-changefeed-client";
import type { ComponentChildren } from "preact";
import css from "./panel.module.css";

interface PanelProps {
  /** It is named so, too. */
  readonly title?: string;
  /** What stands at the end of the title's line: a count, buttons. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Its content reaches its edges. */
  readonly flush?: boolean;
}

/** A framed part of a page. */
export function Panel({ title, aside, children, flush = false }: PanelProps) {
  return (
    <section class={css.panel} aria-label={title}>
      {title !== undefined && (
        <header class={css.head}>
          <h2>{title}</h2>
          {aside !== undefined && <div class={css.aside}>{aside}</div>}
        </header>
      )}
      <div class={flush ? css.flush : css.body}>{children}</div>
    </section>
  );
}

/** Why there is nothing to see, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class={css.empty}>
      <p class={css.emptyTitle}>{title}</p>
      {children !== undefined && <div class={css.emptyText}>{children}</div>}
    </div>
  );
}

/** Where something will stand: as large as it will be, so that nothing jumps. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class={css.skeleton} role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} class={css.bone} />
      ))}
    </div>
  );
}

/** Something is not as it should be, in one line; and what to do. */
export function Notice({
  kind = "info",
  children,
  action,
}: {
  kind?: "info" | "warn" | "error" | "past";
  children: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class={`${css.notice} ${css[kind] ?? ""}`} role={kind === "error" ? "alert" : "status"}>
      <div class={css.noticeText}>{children}</div>
      {action}
    </div>
  );
}

/** What went wrong and what to do; what is not for this reader is nothing that went wrong. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { message, hint } = wordsOf(error);
  if (error instanceof RequestFailed && error.status === 403) {
    return (
      <Empty title="You may not see this here">
        {message}. {hint}
      </Empty>
    );
  }
  return (
    <Notice
      kind="error"
      action={
        retry && (
          <button type="button" class={css.link} onClick={retry}>
            Try again
          </button>
        )
      }
    >
      {message}
      {hint !== undefined && <span class={css.hint}> {hint}</span>}
    </Notice>
  );
}

function wordsOf(error: unknown): { message: string; hint?: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error) };
  const hint = "hint" in error && typeof error.hint === "string" ? error.hint : undefined;
  return { message: error.message, hint };
}
