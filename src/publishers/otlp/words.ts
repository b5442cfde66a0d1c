import type { Answer } from "../http-client/answer.ts";

/** Tags of the two first members of a protobuf `Status`: its code, and its message. */
const CODE = 0x08;
const MESSAGE = 0x12;

/** What an answer says, for people: its text, or the message of the protobuf `Status` that errors of OTLP are. */
export function wordsOf({ bytes, text }: Pick<Answer, "bytes" | "text">): string {
  return (messageIn(bytes) ?? text).replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, " ").trim();
}

function messageIn(bytes: Buffer): string | undefined {
  const at = bytes[0] === CODE ? varint(bytes, 1).end : 0;
  if (bytes[at] !== MESSAGE) return undefined;
  const { value, end } = varint(bytes, at + 1);
  return bytes.toString("utf8", end, end + value);
}

function varint(bytes: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  let end = start;
  for (let byte = 0x80; byte >= 0x80 && end < bytes.length; end += 1) {
    byte = bytes[end] ?? 0;
    value += (byte & 0x7f) * 128 ** (end - start);
  }
  return { value, end };
}
