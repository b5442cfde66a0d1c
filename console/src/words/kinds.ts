/** Said elsewhere, or of no use to people. */
const LEFT_OUT: ReadonlySet<string> = new Set(["ID", "Namespace", "CreateIndex", "ModifyIndex", "Hash"]);

/** `host-volumes` → `Host volumes`, `acl-tokens` → `ACL tokens`. */
export function labelOf(type: string): string {
  const words = type.replaceAll("-", " ").replace(/^(acl|csi)\b/, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A stub's words and numbers, in one line: `Description with a GPU · Enabled true`. */
export function saidIn(stub: object): string {
  return Object.entries(stub)
    .filter(([name, value]) => !LEFT_OUT.has(name) && isShort(value))
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(" · ");
}

function isShort(value: unknown): boolean {
  return (
    typeof value === "boolean" || typeof value === "number" || (typeof value === "string" && value !== "")
  );
}
