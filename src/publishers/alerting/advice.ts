import type { AlertJson } from "../../schemas/alert-schema.ts";

/** Placeholders that what is known of an alert stands for. `<version>` does not: it means another than the alert's. */
const KNOWN = ["job", "group", "node", "deployment", "example"];
const PLAIN = /^[\w./@:-]+$/;

/**
 * A step of what to do about a rule, for this alert: commands with its names in them, in its namespace, so that they can
 * be pasted. Whoever names jobs cannot put commands there.
 */
export function adviceFor(step: string, { labels, details }: Pick<AlertJson, "labels" | "details">): string {
  const known = { ...details, ...labels };
  return step.replaceAll(/`([^`]+)`/g, (_code, command: string) => {
    const filled = command.replaceAll(/<(\w+)>/g, (placeholder, name: string) => {
      const value = KNOWN.includes(name) ? known[name] : undefined;
      return value === undefined ? placeholder : shellWord(value);
    });
    return `\`${withNamespace(filled, known["namespace"])}\``;
  });
}

function withNamespace(command: string, namespace: string | undefined): string {
  if (namespace === undefined || namespace === "default" || !/^nomad (?:job|alloc|deployment) /.test(command))
    return command;
  return `NOMAD_NAMESPACE=${shellWord(namespace)} ${command}`;
}

/** As a shell reads it; what it would end the code or the line with is left out. */
function shellWord(text: string): string {
  const clean = text.replaceAll(/[`\s]+/g, " ");
  return PLAIN.test(clean) ? clean : `'${clean.replaceAll("'", String.raw`'\''`)}'`;
}
