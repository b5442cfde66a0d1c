import type { Attempt, DeliveryDetails } from "nomad-changefeed-client";
import { Chip } from "../../ui/chip.tsx";
import { Empty, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { count } from "../../words/names.ts";
import { duration } from "../../words/time.ts";
import css from "./deliveries.module.css";

const TONES = { ok: "ok", retry: "warn", refused: "error" } as const;
const WORDS = { ok: "taken", retry: "to be tried again", refused: "refused" } as const;

/** The last sends, newest first, each with what was sent and answered. */
export function Attempts({ delivery: { attempts, messages, worker } }: { delivery: DeliveryDetails }) {
  if (attempts === null) {
    return (
      <Panel>
        <Empty title="Another worker delivers">
          Attempts are known where they are made{worker === null ? "" : `: ask ${worker}`}.
        </Empty>
      </Panel>
    );
  }
  return (
    <>
      {messages !== null && messages.length > 0 && (
        <Panel title="Waiting to be told" flush>
          <ul class={css.list}>
            {messages.map(({ about, since, dueAt }) => (
              <li key={`${about}${since}`} class={css.line}>
                <span class={css.grow}>{about}</span>
                <span class="muted">
                  {dueAt === null ? (
                    "not before something changes"
                  ) : (
                    <>
                      at <Time at={dueAt} as="clock" />
                    </>
                  )}
                </span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Panel title="Last attempts" flush>
        {attempts.length === 0 ? (
          <Empty title="Nothing was sent yet">
            An event that passes the destination's filter is sent at once.
          </Empty>
        ) : (
          <ul class={css.list}>
            {attempts.map((attempt, at) => (
              <li key={`${attempt.at}${at}`}>
                <details>
                  <summary class={css.line}>
                    <Chip tone={TONES[attempt.outcome]}>{WORDS[attempt.outcome]}</Chip>
                    <span class={css.grow}>
                      {count(attempt.events, "event")}
                      {attempt.status !== null && ` · ${attempt.status}`}
                      {attempt.reason !== null && ` · ${attempt.reason}`}
                    </span>
                    <span class={css.number}>{duration(attempt.ms)}</span>
                    <span class={css.when}>
                      <Time at={attempt.at} as="clock" />
                    </span>
                  </summary>
                  <div class={css.body}>
                    <AttemptView attempt={attempt} />
                  </div>
                </details>
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </>
  );
}

/** What was sent, and what came back. */
export function AttemptView({ attempt }: { attempt: Attempt }) {
  const { outcome, why, reason, status, ms, request, answer } = attempt;
  return (
    <>
      <p>
        <Chip tone={TONES[outcome]}>{WORDS[outcome]}</Chip> {why !== null && <>as {why} </>}
        {status !== null && <>with status {status} </>}after {duration(ms)}
        {reason !== null && <>: {reason}</>}
      </p>
      <Exchange title="Sent" text={request} />
      <Exchange title="Answered" text={answer} />
    </>
  );
}

function Exchange({ title, text }: { title: string; text: string | null }) {
  if (text === null) return null;
  return (
    <figure class={css.exchange}>
      <figcaption>{title}, its first KiB</figcaption>
      <pre tabIndex={0}>{text === "" ? "(empty)" : text}</pre>
    </figure>
  );
}
