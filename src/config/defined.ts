/** The members that have a value. */
export function defined<Members extends Record<string, string | undefined>>(members: Members) {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined),
  ) as { [Name in keyof Members]?: string };
}
