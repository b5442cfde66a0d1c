import { describe, expect, it } from "vitest";
import { formatCheckpoint, parseCheckpoint } from "../../src/tlog/checkpoint.ts";
import { NoteKeyError, NoteSignatureError, TlogFormatError } from "../../src/tlog/errors.ts";
import { generateNoteKey, parseSigner, parseVerifier } from "../../src/tlog/note-keys.ts";
import { openNote, parseNote, signNote } from "../../src/tlog/note.ts";
import { formatTlogProof, parseTlogProof } from "../../src/tlog/tlog-proof.ts";

/** Of Go's golang.org/x/mod/sumdb/note. */
const PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNED = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

/** Of C2SP signed-note. */
const EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE =
  "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const peter = parseVerifier(PUBLIC);
const another = generateNoteKey("another.example");

describe("a signed note", () => {
  it("is what Go signs with the same key", () => {
    expect(signNote(TEXT, [parseSigner(PRIVATE)])).toBe(SIGNED);
    expect(parseSigner(PRIVATE).verifierKey).toBe(PUBLIC);
  });

  it("verifies as the standard's example does", () => {
    const { text, signers } = openNote(EXAMPLE, [parseVerifier(EXAMPLE_KEY)]);
    expect(text).toBe("This is an example message.\n");
    expect(signers.map(({ name }) => name)).toEqual(["example.com/foo"]);
    expect(openNote(Buffer.from(SIGNED), [peter]).text).toBe(TEXT);
  });

  it("may be signed by two keys; who knows one of them is content", () => {
    const note = signNote(TEXT, [parseSigner(PRIVATE), parseSigner(another.privateKey)]);
    const other = parseVerifier(another.verifierKey);
    expect(openNote(note, [other]).signers).toEqual([other]);
    expect(openNote(note, [peter, other]).signers).toEqual([peter, other]);
  });

  it("of no known key is refused, and says whose it is", () => {
    const other = parseVerifier(another.verifierKey);
    expect(() => openNote(SIGNED, [other])).toThrow(NoteSignatureError);
    expect(() => openNote(SIGNED, [other])).toThrow(/Signed by PeterNeumann\+c74f20a3\. Known: another/);
  });

  it("with any byte changed is refused", () => {
    const bytes = Buffer.from(SIGNED);
    for (const [at, byte] of bytes.entries()) {
      bytes[at] = byte ^ 1;
      expect(() => openNote(bytes, [peter]), `byte ${at}`).toThrow(/./);
      bytes[at] = byte;
    }
    expect(openNote(bytes, [peter]).text).toBe(TEXT);
  });

  it("with a wrong signature of a known key is refused, though another known key signed it rightly", () => {
    const note = signNote(TEXT, [parseSigner(PRIVATE), parseSigner(another.privateKey)]);
    const wrong = note.replace("x08go/ZJ", "x08go/ZK");
    expect(() => openNote(wrong, [parseVerifier(another.verifierKey), peter])).toThrow(
      "The signature of PeterNeumann+c74f20a3 is wrong.",
    );
  });

  it.each([
    ["no signature", `${TEXT}\n`],
    ["no blank line", TEXT],
    ["no newline at the end", SIGNED.trimEnd()],
    ["a control character", SIGNED.replace("you", "\tyou")],
    ["a line that is none", `${SIGNED}more\n`],
    ["a signature that is no base64", SIGNED.replace("x08go", "x0?go")],
    ["a signature that is too short", `${TEXT}\n— PeterNeumann x08gow==\n`],
    ["a hyphen for the dash", SIGNED.replace("—", "-")],
    ["too many signatures", `${SIGNED}${(SIGNED.split("\n")[3] ?? "").concat("\n").repeat(100)}`],
  ])("with %s is none", (_, note) => {
    expect(() => parseNote(note)).toThrow(TlogFormatError);
  });

  it("that is no UTF-8 is none", () => {
    expect(() => parseNote(Buffer.concat([Buffer.of(0xff), Buffer.from(SIGNED)]))).toThrow(TlogFormatError);
  });
});

describe("a key", () => {
  it("that was made signs, and its public half verifies", () => {
    const signer = parseSigner(another.privateKey);
    expect(signer.verifierKey).toBe(another.verifierKey);
    expect(openNote(signNote("x\n", [signer]), [parseVerifier(another.verifierKey)]).text).toBe("x\n");
  });

  it("with any character changed or missing is refused, and not shown", () => {
    for (const [text, parse] of [
      [PRIVATE, parseSigner],
      [PUBLIC, parseVerifier],
    ] as const) {
      for (let at = 0; at < text.length; at++) {
        const next = String.fromCharCode(text.charCodeAt(at) + 1);
        expect(() => parse(text.slice(0, at) + next + text.slice(at + 1)), `at ${at}`).toThrow(NoteKeyError);
        expect(() => parse(text.slice(0, at)), `cut at ${at}`).toThrow(/^((?!AYEKFALV|ARpc2).)*$/);
        expect(() => parse(text.slice(0, at))).toThrow(NoteKeyError);
      }
    }
  });

  it.each([
    "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
    "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  ])("of another length or kind is refused: %s", (key) => {
    expect(() => parseVerifier(key)).toThrow(NoteKeyError);
  });

  it.each(["", "a b", "a+b", "a\u2003b", "a\nb", "\ud800"])("cannot be named %j", (name) => {
    expect(() => generateNoteKey(name)).toThrow(NoteKeyError);
  });
});

const CHECKPOINT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

describe("a checkpoint", () => {
  it("is read and written as the standard's example", () => {
    const checkpoint = parseCheckpoint(CHECKPOINT);
    expect(checkpoint).toMatchObject({ origin: "example.com/behind-the-sofa", size: 20_852_163 });
    expect(formatCheckpoint(checkpoint)).toBe(CHECKPOINT);
    expect(parseCheckpoint(`${CHECKPOINT}extension\n`)).toEqual(checkpoint);
  });

  it.each([
    ["no origin", CHECKPOINT.replace(/^.*/, "")],
    ["leading zeros", CHECKPOINT.replace("20852163", "020852163")],
    ["a size that is no number", CHECKPOINT.replace("20852163", "0x14")],
    ["a size beyond exact numbers", CHECKPOINT.replace("20852163", "9007199254740993")],
    ["a short root", CHECKPOINT.replace("CsUY", "")],
    ["an empty line", `${CHECKPOINT}\nextension\n`],
    ["no newline", CHECKPOINT.trimEnd()],
  ])("with %s is none", (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(TlogFormatError);
  });
});

describe("a proof's file", () => {
  const checkpoint = signNote(CHECKPOINT, [parseSigner(PRIVATE)]);
  const proof = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

  it("comes back as it was written", () => {
    for (const each of [
      { index: 73_894, proof, checkpoint },
      { index: 0, proof: [], checkpoint, extra: Buffer.from("anything") },
    ])
      expect(parseTlogProof(formatTlogProof(each))).toEqual(each);
    expect(formatTlogProof({ index: 5, proof, checkpoint, extra: Buffer.from("e") })).toBe(
      `c2sp.org/tlog-proof@v1\nextra ZQ==\nindex 5\n${proof.map((hash) => hash.toString("base64")).join("\n")}\n\n${checkpoint}`,
    );
  });

  it.each([
    ["another header", "c2sp.org/tlog-proof@v2\nindex 0\n\nx"],
    ["no index", "c2sp.org/tlog-proof@v1\n\nx"],
    ["an index with zeros", "c2sp.org/tlog-proof@v1\nindex 01\n\nx"],
    ["a hash that is none", "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx"],
    ["extra that is no base64", "c2sp.org/tlog-proof@v1\nextra ?\nindex 1\n\nx"],
    ["no checkpoint", "c2sp.org/tlog-proof@v1\nindex 1\n"],
  ])("with %s is none", (_, text) => {
    expect(() => parseTlogProof(text)).toThrow(TlogFormatError);
  });
});
