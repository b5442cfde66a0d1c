import { useState } from "preact/hooks";
import { Button } from "./button.tsx";

/** Puts a text on the clipboard, and says so where it was asked for. */
export function CopyButton({ text, label }: { text: string | (() => string); label: string }) {
  const [said, say] = useState<string>();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      say("Copied");
    } catch {
      say("Not copied: the browser does not allow it here");
    }
    setTimeout(() => say(undefined), 1600);
  };
  return (
    <Button icon="copy" onClick={() => void copy()} {...(said !== undefined && { label: said })}>
      <span aria-live="polite">{said ?? label}</span>
    </Button>
  );
}

/** A text to copy, such as a command. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0} aria-label={label}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} label="Copy" />
    </div>
  );
}
