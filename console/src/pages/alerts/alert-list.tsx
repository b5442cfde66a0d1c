import type { Alert } from "nomad-changefeed-client";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { now } from "../../app/clock.ts";
import { Button } from "../../ui/button.tsx";
import { Chip } from "../../ui/chip.tsx";
import { Icon } from "../../ui/icon.tsx";
import { SeverityBadge } from "../../ui/severity.tsx";
import { Subject } from "../../ui/subject.tsx";
import { Time } from "../../ui/time.tsx";
import { duration } from "../../words/time.ts";
import { spaced, subjectOf, subjectOfDetail, subjectOfEvent, tellingLabels } from "./about.ts";
import css from "./alerts.module.css";

interface AlertListProps {
  readonly alerts: readonly Alert[];
  readonly onSilence?: ((alert: Alert) => void) | undefined;
}

/** Alerts, one under the other, each to be opened. */
export function AlertList({ alerts, onSilence }: AlertListProps) {
  const [opened, open] = useState<string>();
  return (
    <ul class={css.list}>
      {alerts.map((alert) => (
        <li key={keyOf(alert)} class={css.alert} data-severity={alert.severity} data-state={alert.state}>
          <AlertHead
            alert={alert}
            isOpen={opened === keyOf(alert)}
            onToggle={() => open(opened === keyOf(alert) ? undefined : keyOf(alert))}
          />
          {opened === keyOf(alert) && <AlertDetails alert={alert} onSilence={onSilence} />}
        </li>
      ))}
    </ul>
  );
}

function keyOf({ id, startsAt }: Alert): string {
  return `${id} ${startsAt}`;
}

interface AlertHeadProps {
  readonly alert: Alert;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

function AlertHead({ alert, isOpen, onToggle }: AlertHeadProps) {
  const { severity, rule, summary, state, silencedBy = [], isKept, startsAt, reason } = alert;
  return (
    <button type="button" class={css.alertHead} aria-expanded={isOpen} onClick={onToggle}>
      <Icon name={isOpen ? "down" : "right"} size={12} />
      <SeverityBadge severity={severity} />
      <span class={css.words}>
        <span class={css.summary}>{summary}</span>
        <span class={css.under}>
          <span>{spaced(rule)}</span>
          {tellingLabels(alert)
            .filter(([name]) => name === "namespace" || name === "group")
            .map(([name, value]) => (
              <span key={name}>
                {name} {value}
              </span>
            ))}
          {silencedBy.length > 0 && <Chip tone="info">silenced</Chip>}
          {isKept && (
            <Chip title="It holds no longer, and fires for a while yet in case it comes back">may end</Chip>
          )}
          {reason !== null && <Chip tone={reason === "recovered" ? "ok" : "plain"}>{reason}</Chip>}
        </span>
      </span>
      <span class={css.when}>
        {state === "resolved" ? <Time at={alert.endsAt ?? startsAt} as="age" /> : <>for {heldFor(alert)}</>}
      </span>
    </button>
  );
}

function heldFor({ startsAt }: Alert): string {
  return duration(now.value - Date.parse(startsAt));
}

function AlertDetails({
  alert,
  onSilence,
}: {
  alert: Alert;
  onSilence?: ((alert: Alert) => void) | undefined;
}) {
  const { details, startsAt, firedAt, endsAt, count, evidence, beganMeanwhile } = alert;
  const about = subjectOf(alert);
  return (
    <div class={css.details}>
      <dl class={css.facts}>
        {about !== undefined && (
          <Fact name="about">
            <Subject subject={about.subject} name={details["nodeName"] ?? about.name} />
          </Fact>
        )}
        {tellingLabels(alert)
          .filter(([name]) => name !== "job" && name !== "node")
          .map(([name, value]) => (
            <Fact key={name} name={name}>
              {value}
            </Fact>
          ))}
        {distinct(details).map(([name, value]) => (
          <Fact key={name} name={spaced(name)}>
            <DetailValue alert={alert} name={name} value={value} />
          </Fact>
        ))}
        <Fact name="count">{count}</Fact>
        <Fact name="began">
          <Time at={startsAt} as="clock" />
          {beganMeanwhile && " or before: nobody looked then"}
        </Fact>
        {firedAt !== null && (
          <Fact name="fired">
            <Time at={firedAt} as="clock" />
          </Fact>
        )}
        {endsAt !== null && (
          <Fact name="ended">
            <Time at={endsAt} as="clock" /> after {duration(Date.parse(endsAt) - Date.parse(startsAt))}
          </Fact>
        )}
      </dl>
      <Evidence ids={evidence} />
      {onSilence !== undefined && (
        <div class={css.actions}>
          <Button onClick={() => onSilence(alert)}>Silence…</Button>
        </div>
      )}
    </div>
  );
}

/** Details that say the same as one before say it once. */
function distinct(details: Alert["details"]): [name: string, value: string][] {
  const told = new Set<string>();
  return Object.entries(details).filter(([name, value]) => {
    const isNew = name !== "nodeName" && !told.has(value);
    told.add(value);
    return isNew;
  });
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class={css.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function DetailValue({ alert, name, value }: { alert: Alert; name: string; value: string }) {
  const subject = subjectOfDetail(name, value, alert);
  return subject === undefined ? <>{value}</> : <Subject subject={subject} />;
}

/** The objects whose events made it. */
function Evidence({ ids }: { ids: readonly string[] }) {
  const subjects = [...new Set(ids.flatMap((id) => subjectOfEvent(id) ?? []))];
  if (subjects.length === 0) return null;
  return (
    <div>
      <h3>Because of events of</h3>
      <ul class={css.evidence}>
        {subjects.map((subject) => (
          <li key={subject}>
            <Subject subject={subject} />
          </li>
        ))}
      </ul>
    </div>
  );
}
