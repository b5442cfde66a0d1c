import { Subject } from "../../../ui/subject.tsx";
import type { BaseRow, Kind } from "./kind.ts";

export interface NamespaceRow extends BaseRow {
  readonly description: string;
  readonly quota: string;
  readonly meta: string;
}

export const namespaces: Kind<NamespaceRow, "namespaces"> = {
  type: "namespaces",
  label: "Namespaces",
  isNamespaced: false,
  example: 'Name matches "^ci-"',
  sort: { column: "name", isDescending: false },
  selectors: { Name: ({ id }) => id, Quota: ({ quota }) => quota },
  rowOf: ({ subject, namespace, id, stub }) => ({
    subject,
    namespace,
    id,
    description: stub.Description,
    quota: stub.Quota ?? "",
    meta: Object.entries(stub.Meta ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
  }),
  columns: [
    {
      id: "name",
      label: "Namespace",
      value: ({ id }) => id,
      show: ({ subject, id }) => <Subject subject={subject} name={id} plain />,
      width: "minmax(140px, 1fr)",
      narrow: 1,
    },
    {
      id: "description",
      label: "Description",
      value: ({ description }) => description,
      width: "minmax(160px, 2fr)",
      narrow: 2,
    },
    { id: "quota", label: "Quota", value: ({ quota }) => (quota === "" ? null : quota), width: "120px" },
    {
      id: "meta",
      label: "Meta",
      value: ({ meta }) => (meta === "" ? null : meta),
      width: "minmax(120px, 1fr)",
    },
  ],
};
