import type { Alert, NewSilence } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field, Form, Radios } from "../../ui/form.tsx";
import { filterOf, tellingLabels } from "./about.ts";
import css from "./alerts.module.css";

const TIMES = ["30m", "2h", "8h", "1d", "7d"];

interface Choice {
  readonly words: string;
  readonly rules: string;
  readonly filter: string;
}

/** Begins a silence: of one alert, of what it is about, of its rule, or as one writes it. */
export function SilenceDialog({ alert, onClose }: { alert?: Alert; onClose: () => void }) {
  const choices = alert === undefined ? [] : choicesOf(alert);
  const [rules, setRules] = useState(choices[0]?.rules ?? "");
  const [filter, setFilter] = useState(choices[0]?.filter ?? "");
  const [lasting, setLasting] = useState("2h");
  const [comment, setComment] = useState("");
  const submit = async () => {
    await api().addSilence(silenceOf({ rules, filter, lasting, comment }));
    onClose();
  };
  return (
    <Dialog title={alert === undefined ? "New silence" : `Silence: ${alert.summary}`} onClose={onClose}>
      <Form action="Silence" onSubmit={submit}>
        {choices.length > 0 && (
          <Radios
            legend="What"
            value={choices.find((one) => one.rules === rules && one.filter === filter)?.words ?? ""}
            onChange={(words) => {
              const choice = choices.find((one) => one.words === words);
              setRules(choice?.rules ?? "");
              setFilter(choice?.filter ?? "");
            }}
            options={choices.map(({ words }) => ({ value: words, words }))}
          />
        )}
        <Field
          label="Rules"
          hint="Names, with * for anything and a comma between"
          value={rules}
          onInput={setRules}
        />
        <Field
          label="Filter"
          hint="An expression, as resource.job == web"
          value={filter}
          onInput={setFilter}
          mono
        />
        <Field label="For" hint="As 30m, 2h, 7d" value={lasting} onInput={setLasting} required />
        <div class={css.actions}>
          {TIMES.map((time) => (
            <Button key={time} pressed={time === lasting} onClick={() => setLasting(time)}>
              {time}
            </Button>
          ))}
        </div>
        <Field
          label="Comment"
          hint="Why, for those who come after you"
          value={comment}
          onInput={setComment}
        />
      </Form>
    </Dialog>
  );
}

function choicesOf(alert: Alert): Choice[] {
  const labels = tellingLabels(alert);
  const wider = labels.filter(([name]) => name !== "group");
  const about = wider.map(([, value]) => value).join("/");
  return [
    { words: "This alert", rules: alert.rule, filter: filterOf(labels) },
    ...(about === "" ? [] : [{ words: `Every alert about ${about}`, rules: "", filter: filterOf(wider) }]),
    { words: `Every ${alert.rule}`, rules: alert.rule, filter: "" },
  ];
}

function silenceOf(form: { rules: string; filter: string; lasting: string; comment: string }): NewSilence {
  const rules = form.rules
    .split(",")
    .map((rule) => rule.trim())
    .filter(Boolean);
  const filter = form.filter.trim();
  return {
    for: form.lasting.trim(),
    ...(rules.length > 0 && { rules }),
    ...(filter !== "" && { filter }),
    ...(form.comment.trim() !== "" && { comment: form.comment.trim() }),
  };
}
