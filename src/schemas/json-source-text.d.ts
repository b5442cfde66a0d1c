// JSON.parse with source text access (ES2026, Node 22+): TypeScript's library has no types for it yet.
interface RawJSON {
  readonly rawJSON: string;
}
interface JSON {
  // oxlint-disable-next-line typescript/no-explicit-any -- mirrors the library's own signature
  parse(
    text: string,
    reviver: (this: any, key: string, value: any, context: { source?: string }) => any,
  ): any;
  rawJSON(text: string): RawJSON;
  isRawJSON(value: unknown): value is RawJSON;
}
