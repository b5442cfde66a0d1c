import { signal } from "@preact/signals";
import { Dialog } from "../ui/dialog.tsx";
import css from "./help.module.css";
import { commands, keyNames, type Command } from "./keys.ts";

export const helpIsOpen = signal(false);

/** All keys that do something now. */
export function HelpDialog() {
  const groups = Map.groupBy(
    commands.value.filter(({ keys }) => keys !== undefined),
    ({ group }) => group,
  );
  return (
    <Dialog
      title="Keys"
      onClose={() => {
        helpIsOpen.value = false;
      }}
    >
      <div class={css.groups}>
        {[...groups].map(([group, list]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {list.map((command) => (
                <KeyLine key={`${command.words}${command.keys}`} command={command} />
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function KeyLine({ command: { words, keys = "" } }: { command: Command }) {
  return (
    <div class={css.line}>
      <dt>{words}</dt>
      <dd>
        {keyNames(keys).map((name, at) => (
          <kbd key={at}>{name}</kbd>
        ))}
      </dd>
    </div>
  );
}
