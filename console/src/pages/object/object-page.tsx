import { route } from "../../app/router.ts";
import { Empty } from "../../ui/panel.tsx";
import { ObjectView } from "./object-view.tsx";

/** One object: its state, its whole history, and why it is so. */
export default function ObjectPage() {
  const [, resource = "", namespace = "", key = ""] = route.value.path;
  if (!/^[a-z-]+$/.test(resource) || resource === "feed" || key === "") {
    return (
      <Empty title="Which object?">
        The address of an object ends in its kind, its namespace and its id, as in{" "}
        <code>#/object/jobs/default/web</code>.
      </Empty>
    );
  }
  const subject = `${resource}/${namespace}/${key}`;
  return <ObjectView key={subject} subject={subject} />;
}
