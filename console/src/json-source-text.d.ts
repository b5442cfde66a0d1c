// JSON.parse with source text access (ES2026): TypeScript's library has no types for it yet.
interface RawJSON {
  readonly rawJSON: string;
}
interface JSON {
  parse(
    text: string,
    reviver: (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown,
  ): unknown;
  rawJSON?: (text: string) => RawJSON;
  isRawJSON?: (value: unknown) => value is RawJSON;
}
