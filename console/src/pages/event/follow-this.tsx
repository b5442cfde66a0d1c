import { useState } from "preact/hooks";
import { go, href } from "../../app/router.ts";
import { SERVER_URL } from "../../feed/server.ts";
import { Button } from "../../ui/button.tsx";
import { Snippet } from "../../ui/copy.tsx";
import { alertRuleOf, clientCodeOf, curlOf, destinationOf } from "../live/automation.ts";
import { selectionOf } from "../live/selection.ts";
import { choicesOf } from "./choices.ts";
import css from "./event.module.css";
import type { OpenEvent } from "./read-event.ts";

/** What would tell somebody of the next such event. */
export function FollowThis({ open }: { open: OpenEvent }) {
  const choices = choicesOf(open.facts);
  const [at, choose] = useState(0);
  const choice = choices[at] ?? choices[0];
  if (choice === undefined) return null;
  const selection = selectionOf(new URLSearchParams(choice.parameters));
  return (
    <section aria-label="Subscribe" class={css.follow}>
      <div class={css.choices} role="group" aria-label="What to subscribe to">
        {choices.map(({ words }, index) => (
          <Button key={words} pressed={index === at} onClick={() => choose(index)}>
            {words}
          </Button>
        ))}
        <Button
          kind="bare"
          icon="live"
          onClick={() => go(href(["live"], { ...choice.parameters, at: null }))}
        >
          See it live
        </Button>
      </div>
      <h2>Shell</h2>
      <Snippet label="Command that subscribes" text={curlOf(SERVER_URL, selection)} />
      <h2>JavaScript</h2>
      <Snippet label="Client code that subscribes" text={clientCodeOf(SERVER_URL, selection)} />
      <h2>A destination of the bridge</h2>
      <Snippet label="Configuration that sends it" text={destinationOf(selection)} />
      <h2>An alert</h2>
      <Snippet label="Configuration of an alert like it" text={alertRuleOf(selection)} />
    </section>
  );
}
