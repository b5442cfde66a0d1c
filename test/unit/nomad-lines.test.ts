import { expect, it } from "vitest";
import { LineSplitter, type Line } from "../../src/nomad/lines.ts";

const text = (line: Line) => (Buffer.isBuffer(line) ? line.toString() : line);

function linesOf(maxBytes: number, chunks: readonly string[]): unknown[] {
  const splitter = new LineSplitter(maxBytes);
  const lines = chunks.flatMap((chunk) => [...splitter.push(Buffer.from(chunk))]);
  return [...lines, splitter.rest()].map(text);
}

it("puts lines together, wherever they were cut", () => {
  const whole = '{}\n{"a":"ü"}\n\n{"b":1}\nrest';
  for (let at = 0; at <= whole.length; at += 1) {
    const chunks = [whole.slice(0, at), whole.slice(at)];
    expect(linesOf(99, chunks)).toEqual(["{}", '{"a":"ü"}', "", '{"b":1}', "rest"]);
  }
  const bytes = [...Buffer.from(whole)].map((byte) => Buffer.from([byte]));
  const splitter = new LineSplitter(99);
  expect(bytes.flatMap((byte) => [...splitter.push(byte)]).map(text)).toEqual([
    "{}",
    '{"a":"ü"}',
    "",
    '{"b":1}',
  ]);
});

it("leaves out a line that is too large, says how large it was, and goes on behind it", () => {
  expect(linesOf(4, ["1234\n1", "234", "5678\n12", "34\n12345"])).toEqual([
    "1234",
    { bytes: 8 },
    "1234",
    { bytes: 5 },
  ]);
});
