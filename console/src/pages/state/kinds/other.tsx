import type { ResourceType } from "nomad-changefeed-client";
import { Subject } from "../../../ui/subject.tsx";
import { labelOf, saidIn } from "../../../words/kinds.ts";
import type { BaseRow, Kind } from "./kind.ts";

interface OtherRow extends BaseRow {
  readonly says: string;
}

/** A kind that has no table of its own: its objects' names, and what each says in words and numbers. */
export function otherKind<Type extends ResourceType>(type: Type): Kind<OtherRow, Type> {
  const label = labelOf(type);
  return {
    type,
    label,
    isNamespaced: true,
    example: 'Name matches "^web"',
    sort: { column: "name", isDescending: false },
    selectors: { Name: ({ id }) => id },
    rowOf: ({ subject, namespace, id, stub }) => ({ subject, namespace, id, says: saidIn(stub) }),
    columns: [
      {
        id: "name",
        label: "Name",
        value: ({ id }) => id,
        show: ({ subject, id }) => <Subject subject={subject} name={id} plain />,
        width: "minmax(160px, 1fr)",
        narrow: 1,
      },
      {
        id: "namespace",
        label: "Namespace",
        value: ({ namespace }) => (namespace === "-" ? null : namespace),
        width: "120px",
      },
      {
        id: "says",
        label: "What it says",
        value: ({ says }) => says,
        width: "minmax(240px, 3fr)",
        narrow: 2,
      },
    ],
  };
}
