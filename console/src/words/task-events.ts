/** What Nomad's client said of a task, in a line: `Terminated: Exit Code: 137, OOM Killed`. Undefined of anything else. */
export function taskEventWords(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("Type" in value) || !("DisplayMessage" in value)) {
    return undefined;
  }
  const { Type: type, DisplayMessage: message } = value;
  if (typeof type !== "string" || typeof message !== "string") return undefined;
  return message === "" || message === type ? type : `${type}: ${message}`;
}
