const MAX_LENGTH = 60;

/** What somebody sent, for an error's text: as a JSON string, and short. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text));
}

export function shortened(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
