import type { SpecChange } from "nomad-changefeed-client";
import { namesIn } from "../words/pointer.ts";
import css from "./spec-diff.module.css";

/** What a version of a job changed in its specification. */
export function SpecDiff({ changes, omitted }: { changes: readonly SpecChange[]; omitted: number }) {
  return (
    <div class={css.diff}>
      <dl>
        {changes.map((change) => (
          <Change key={change.path} change={change} />
        ))}
      </dl>
      {omitted > 0 && <p class="muted">and {omitted} more</p>}
    </div>
  );
}

const REDACTED = "[redacted]";

function Change({ change: { path, kind, old, new: fresh } }: { change: SpecChange }) {
  const isSecret = old === REDACTED && fresh === REDACTED;
  return (
    <div class={css.change}>
      <dt>
        {namesIn(path).join(" › ")} <span class="visually-hidden">{kind}</span>
      </dt>
      {isSecret && <dd class={css.secret}>changed; both values are redacted</dd>}
      {!isSecret && old !== undefined && (
        <dd class={css.removed}>
          <del>{old === "" ? "“”" : old}</del>
        </dd>
      )}
      {!isSecret && fresh !== undefined && (
        <dd class={css.added}>
          <ins>{fresh === "" ? "“”" : fresh}</ins>
        </dd>
      )}
    </div>
  );
}
