import { useState } from "preact/hooks";
import { signIn } from "../feed/session.ts";
import { SubmitButton } from "../ui/form.tsx";
import { Icon } from "../ui/icon.tsx";
import { Failure } from "../ui/panel.tsx";
import css from "./sign-in.module.css";

/** Asks for a token, where the bridge does. */
export function SignIn() {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const token = form.get("token");
    if (typeof token !== "string") return;
    setBusy(true);
    try {
      await signIn(token.trim(), { remember: form.get("remember") === "on" });
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class={css.page}>
      <form class={css.card} onSubmit={(event) => void onSubmit(event)}>
        <p class={css.brand}>
          <Icon name="live" size={22} /> nomad-changefeed
        </p>
        <h1>Sign in</h1>
        <p class="muted">
          With your Nomad token, or one that the operator of this feed gave you. You see what the token may
          see.
        </p>
        <label class={css.label} for="token">
          Token
        </label>
        <input
          id="token"
          name="token"
          class={css.input}
          type="password"
          autocomplete="current-password"
          required
          autofocus
          spellcheck={false}
        />
        <label class={css.check}>
          <input type="checkbox" name="remember" /> Stay signed in on this browser for 30 days
        </label>
        {error !== undefined && <Failure error={error} />}
        <SubmitButton disabled={isBusy}>{isBusy ? "Asking…" : "Sign in"}</SubmitButton>
      </form>
    </main>
  );
}
