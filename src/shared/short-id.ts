/** A whole id as Nomad makes them: of everything but jobs and namespaces, which have names. */
export const WHOLE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** As people write it: the first part of an id; what is no id stays as it is. */
export function shortId(id: string): string {
  return WHOLE_ID.test(id) ? id.slice(0, 8) : id;
}
