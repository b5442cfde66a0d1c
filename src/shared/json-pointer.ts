/** JSON Pointers, RFC 6901: `/a~1b/c` leads along the names "a/b" and "c". */
export function namesOf(pointer: string): string[] {
  return pointer.split("/").slice(1).map(unescapedName);
}

/** One name between two slashes. */
export function unescapedName(text: string): string {
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}

export function pointerOf(names: readonly string[]): string {
  return names.reduce(pointerTo, "");
}

/** The pointer to a member of what a pointer leads to. */
export function pointerTo(parent: string, name: string): string {
  return `${parent}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
