import { objectHref } from "../app/router.ts";
import { nounOf, partsOf, shortName } from "../words/names.ts";
import { Icon, isIcon } from "./icon.tsx";
import css from "./subject.module.css";

interface SubjectProps {
  /** `resource/namespace/key` */
  readonly subject: string;
  /** What people call it. Default: its key. */
  readonly name?: string | undefined;
  /** Leaves the kind's icon out. */
  readonly plain?: boolean;
}

/** An object, by name, that leads to its page. */
export function Subject({ subject, name, plain = false }: SubjectProps) {
  const { resource, key } = partsOf(subject);
  const noun = nounOf(resource);
  const text = shortName(name ?? key);
  return (
    <a class={css.subject} href={objectHref(subject)} title={`${noun} ${key}`}>
      {!plain && isIcon(resource) && <Icon name={resource} size={14} />}
      <span class="visually-hidden">{noun} </span>
      <span class={css.name}>{text}</span>
    </a>
  );
}
