import { expect, it } from "vitest";
import { guardedOutput, plainLines, plainText, terminalJson } from "../../src/schemas/terminal-text.ts";
import { FORBIDDEN, HOSTILE_NAME, steeringIn } from "../support/terminal.ts";

it("shows what could steer a terminal as a replacement, and leaves every other character", () => {
  expect(plainText("a\u202Ecod.exe\n\u001B[2J\u009Bx")).toBe("a�cod.exe��[2J�x");
  expect(steeringIn(plainText(HOSTILE_NAME))).toEqual([]);
  const through = FORBIDDEN.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, offset) => first + offset),
  ).filter((code) => plainText(String.fromCodePoint(code)) !== "�");
  expect(through).toEqual([]);
  expect(plainText("\n\uD800")).toBe("��");
  const harmless = "web.frontend[3] ⚠️ Größe 東京 עברית ∅ → …";
  expect(plainText(harmless)).toBe(harmless);
});

it("keeps the breaks between lines where there are several", () => {
  expect(plainLines("one\r\ntwo\u2028three")).toBe("one�\ntwo�three");
});

it("writes JSON that says the same", () => {
  const value = { [HOSTILE_NAME]: [HOSTILE_NAME, "\u{E0041}", "⚠️"] };
  for (const json of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
    expect(steeringIn(terminalJson(json))).toEqual([]);
    expect(JSON.parse(terminalJson(json))).toEqual(value);
  }
  const harmless = '{"id":"web","n":18446744073709551615}';
  expect(terminalJson(harmless)).toBe(harmless);
});

it("lets colours and line breaks of ours through, and nothing else that reached the output as it was", () => {
  expect(guardedOutput("\u001B[31mred\u001B[39m\n\u001B[2J\u001B]0;title\u0007\n")).toBe(
    "\u001B[31mred\u001B[39m\n�[2J�]0;title�\n",
  );
});
