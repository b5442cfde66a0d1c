import type { Attempt, DeliveryDetails } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { useCommands } from "../../app/keys.ts";
import { api } from "../../feed/api.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field, Form } from "../../ui/form.tsx";
import { Failure } from "../../ui/panel.tsx";
import { isCursor } from "../../words/cursor.ts";
import { AttemptView } from "./attempts.tsx";
import css from "./deliveries.module.css";

interface SteeringProps {
  readonly delivery: DeliveryDetails;
  readonly onDone: () => void;
}

/** What people do to a delivery. */
export function Steering({ delivery: { name, state, kind }, onDone }: SteeringProps) {
  const [error, setError] = useState<unknown>();
  const [tried, setTried] = useState<Attempt>();
  const [isReplaying, replay] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const run = async (what: () => Promise<unknown>) => {
    setBusy(true);
    try {
      await what();
      setError(undefined);
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
      onDone();
    }
  };
  const test = () => void run(async () => setTried(await api().testDelivery(name)));
  const canResume = state === "paused" || state === "circuit-open";
  const pauseOrResume = () =>
    void run(() =>
      canResume ? api().resumeDelivery(name) : api().pauseDelivery(name, { reason: "paused in the console" }),
    );
  useCommands([
    { group: name, words: "Send a test", run: test },
    { group: name, words: canResume ? "Resume" : "Pause", run: pauseOrResume },
  ]);
  return (
    <div class={css.actions}>
      <Button icon={canResume ? "play" : "pause"} disabled={isBusy} onClick={pauseOrResume}>
        {state === "circuit-open" ? "Try now" : canResume ? "Resume" : "Pause"}
      </Button>
      <Button disabled={isBusy} onClick={test}>
        Send a test
      </Button>
      {kind === "events" && (
        <Button disabled={isBusy} onClick={() => replay(true)}>
          Replay…
        </Button>
      )}
      {error !== undefined && <Failure error={error} />}
      {tried !== undefined && (
        <Dialog title={`Test of ${name}`} onClose={() => setTried(undefined)}>
          <div class={css.body}>
            <AttemptView attempt={tried} />
          </div>
        </Dialog>
      )}
      {isReplaying && (
        <ReplayDialog
          name={name}
          onClose={() => {
            replay(false);
            onDone();
          }}
        />
      )}
    </div>
  );
}

function ReplayDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const [from, setFrom] = useState("1h");
  const submit = async () => {
    const text = from.trim();
    await api().replayDelivery(name, isCursor(text) ? { cursor: text } : { since: text });
    onClose();
  };
  return (
    <Dialog title={`Replay to ${name}`} onClose={onClose}>
      <Form action="Replay" onSubmit={submit}>
        <p>
          Sends again what was recorded since then. The destination gets events that it had before, each with
          the same id.
        </p>
        <Field
          label="Since"
          hint="An age, as 1h; a time; or a cursor"
          value={from}
          onInput={setFrom}
          required
        />
      </Form>
    </Dialog>
  );
}
