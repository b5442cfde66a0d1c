import { href } from "../../../app/router.ts";
import { Chip } from "../../../ui/chip.tsx";
import type { Column } from "../../../ui/columns.ts";
import { Subject } from "../../../ui/subject.tsx";
import { Time } from "../../../ui/time.tsx";
import { partsOf, shortName } from "../../../words/names.ts";
import css from "./cells.module.css";
import type { BaseRow } from "./kind.ts";

export type Tone = "plain" | "ok" | "warn" | "error" | "info" | "accent";

/** A state, that stands out only where it asks for attention. */
export function State({ word, tone = "plain" }: { word: string; tone?: Tone }) {
  if (tone === "plain") return <span class="muted">{word}</span>;
  return tone === "ok" ? <span class={css.ok}>{word}</span> : <Chip tone={tone}>{word}</Chip>;
}

export function timeColumn<Row>(
  id: string,
  label: string,
  ms: (row: Row) => number | null,
  narrow?: 2,
): Column<Row> {
  return {
    id,
    label,
    value: ms,
    show: (row) => {
      const at = ms(row);
      return at === null ? "" : <Time at={new Date(at).toISOString()} />;
    },
    width: "minmax(96px, 0.5fr)",
    ...(narrow && { narrow }),
  };
}

export function numberColumn<Row>(
  id: string,
  label: string,
  value: (row: Row) => number | null,
): Column<Row> {
  return { id, label, value, width: "72px", align: "end" };
}

export function namespaceColumn<Row extends BaseRow>(): Column<Row> {
  return {
    id: "namespace",
    label: "Namespace",
    value: ({ namespace }) => namespace,
    show: ({ namespace }) => <span class="muted">{namespace}</span>,
    width: "minmax(80px, 0.6fr)",
    narrow: 2,
  };
}

/** What is known by its id alone. */
export function idColumn<Row extends BaseRow>(): Column<Row> {
  return {
    id: "id",
    label: "Id",
    value: ({ id }) => id,
    show: ({ subject, id }) => (
      <span class="mono">
        <Subject subject={subject} name={id} plain />
      </span>
    ),
    width: "84px",
    narrow: 1,
  };
}

/** A job that the row belongs to. */
export function jobColumn<Row extends BaseRow & { readonly job: string }>(): Column<Row> {
  return {
    id: "job",
    label: "Job",
    value: ({ job }) => job,
    show: ({ job, namespace }) =>
      job === "" ? "" : <Subject subject={`jobs/${namespace}/${job}`} name={job} plain />,
    width: "minmax(110px, 1.4fr)",
    narrow: 1,
  };
}

/** A node that the row belongs to. */
export function NodeLink({ id, name }: { id: string; name: string }) {
  return id === "" ? null : <Subject subject={`nodes/-/${id}`} name={name === "" ? id : name} plain />;
}

export function DeploymentLink({ subject, id }: { subject: string; id: string }) {
  const { namespace } = partsOf(subject);
  return (
    <a class="mono" href={href(["deployments", namespace, id])}>
      {shortName(id)}
    </a>
  );
}
