import { go, href } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Chip } from "../../ui/chip.tsx";
import { CopyButton } from "../../ui/copy.tsx";
import { Icon, isIcon } from "../../ui/icon.tsx";
import { nounOf, partsOf, shortName } from "../../words/names.ts";
import { Subject } from "../../ui/subject.tsx";
import { stateWord } from "./state/facts.ts";
import css from "./object.module.css";
import type { ObjectRecord } from "./use-object.ts";
import { stubOf, type StateThen } from "./versions.ts";
import { text, type Stub } from "./stubs.ts";

/** What it is, and how it is at the moment that is shown. */
export function ObjectHead({ record, then }: { record: ObjectRecord; then: StateThen }) {
  const { resource, namespace, key } = partsOf(record.subject);
  const stub = anyStub(record, then);
  const name = stub === undefined ? shortName(key) : text(stub, "Name") || shortName(key);
  return (
    <header class={css.head}>
      <p class={css.kind}>
        {isIcon(resource) && <Icon name={resource} size={14} />}
        {nounOf(resource)}
        {namespace !== "-" && (
          <>
            {" in "}
            <Subject subject={`namespaces/-/${namespace}`} plain />
          </>
        )}
      </p>
      <div class={css.titleLine}>
        <h1>{name}</h1>
        <StateChip resource={resource} then={then} />
        <span class={css.tools}>
          <Button
            icon="live"
            onClick={() =>
              go(
                href(
                  ["live"],
                  resource === "jobs" ? { jobs: key, namespaces: namespace } : { subjects: record.subject },
                ),
              )
            }
          >
            Live
          </Button>
          <CopyButton text={key} label="Copy id" />
        </span>
      </div>
      {key !== name && <p class={css.id}>{key}</p>}
    </header>
  );
}

function StateChip({ resource, then }: { resource: string; then: StateThen }) {
  if (then.kind === "deleted") return <Chip>deleted</Chip>;
  if (then.kind !== "there" || then.stub === undefined) return null;
  const { word, tone, why } = stateWord(resource, then.stub);
  if (word === "") return null;
  return (
    <Chip tone={tone} title={why}>
      {word}
    </Chip>
  );
}

function anyStub({ current, versions }: ObjectRecord, then: StateThen): Stub | undefined {
  if (then.kind === "there" && then.stub !== undefined) return then.stub;
  const last = versions.findLast(({ isLarge, isPassed }) => !isLarge && !isPassed);
  return current ?? (last && stubOf(last));
}
