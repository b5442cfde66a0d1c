import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { TokensFileInvalid } from "../../src/http/access/errors.ts";
import { parseTokensFile } from "../../src/http/access/tokens-file.ts";

const SECRET = "a-token-that-is-long-enough-1";
const HASH = createHash("sha256").update(SECRET).digest("hex");

const read = (text: string, worldReadable = false) => parseTokensFile("tokens.yaml", text, { worldReadable });

function problemsOf(text: string, worldReadable = false): readonly string[] {
  try {
    read(text, worldReadable);
  } catch (error) {
    if (error instanceof TokensFileInvalid) return error.problems;
    throw error;
  }
  return [];
}

const token = (fields: string) => `tokens:
  - name: grafana
    sha256: ${HASH}
    namespaces: ["*"]
    resources: ["*"]
  - name: other
${fields.replaceAll(/^/gm, "    ")}
`;
const REST = `namespaces: [a]\nresources: [jobs]`;

describe("a file of tokens", () => {
  it("is YAML or JSON, with a token or its SHA-256", () => {
    const yaml = `tokens:
  - name: team-a
    token: ${SECRET}
    namespaces: [default, "team-a-*"]
    resources: [jobs, allocations]
    expires: "2027-01-01T00:00:00Z"
`;
    const [written] = read(yaml);
    expect(written).toEqual({
      name: "team-a",
      sha256: Buffer.from(HASH, "hex"),
      namespaces: ["default", "team-a-*"],
      resources: ["jobs", "allocations"],
      manages: false,
      expiresAtMs: Date.parse("2027-01-01T00:00:00Z"),
    });
    const json = { tokens: [{ name: "b", sha256: HASH, namespaces: ["*"], resources: ["*"] }] };
    expect(read(JSON.stringify(json))[0]?.resources).toContain("nodes");
    const managing = { tokens: [{ ...json.tokens[0], management: true }] };
    expect(read(JSON.stringify(managing))[0]?.manages).toBe(true);
    expect(read("tokens: []")).toEqual([]);
  });

  it.each([
    [
      "a name of a resource",
      `sha256: ${"0".repeat(64)}\nnamespaces: [a]\nresources: [job]`,
      "9: tokens[1].resources[0]: allowed: * for all, or of jobs",
    ],
    [
      "no namespaces",
      `sha256: ${"0".repeat(64)}\nresources: [jobs]`,
      "tokens[1].namespaces: must be a list of names or globs",
    ],
    ["a short hash", `sha256: abc\n${REST}`, "7: tokens[1].sha256: must be 64 hexadecimal digits"],
    ["a short token", `token: short\n${REST}`, "7: tokens[1].token: must have at least 20"],
    ["neither", REST, "tokens[1]: give sha256 (better) or token, one of them"],
    [
      "both",
      `sha256: ${"0".repeat(64)}\ntoken: ${SECRET}\n${REST}`,
      "tokens[1]: give sha256 (better) or token",
    ],
    [
      "a time",
      `sha256: ${"0".repeat(64)}\nexpires: tomorrow\n${REST}`,
      "8: tokens[1].expires: must be an RFC 3339 time",
    ],
    [
      "a field",
      `sha256: ${"0".repeat(64)}\nnamespace: [a]\n${REST}`,
      'there is no "namespace"; allowed: name, token, sha256, namespaces',
    ],
    ["the same token twice", `token: ${SECRET}\n${REST}`, "6: tokens[1]: it is the same token as tokens[0]"],
  ])("names the line and the field: %s", (_what, fields, problem) => {
    const problems = problemsOf(token(fields)).join("\n");
    expect(problems).toContain(problem);
    expect(problems).toMatch(/^tokens\.yaml:\d+: /);
    expect(problems).not.toContain(SECRET);
  });

  it("says of one name that it is given twice", () => {
    const twice = token(`sha256: ${"0".repeat(64)}\n${REST}`).replace("other", "grafana");
    expect(problemsOf(twice)).toEqual(["tokens.yaml:6: tokens[1].name: tokens[0] has it already"]);
  });

  it("is refused where everybody can read tokens in it, hashes are fine", () => {
    const plain = `tokens: [{ name: a, token: ${SECRET}, namespaces: ["*"], resources: ["*"] }]`;
    expect(problemsOf(plain, true).join()).toContain("chmod o-r");
    expect(problemsOf(plain)).toEqual([]);
    expect(problemsOf(token(`sha256: ${"0".repeat(64)}\n${REST}`), true)).toEqual([]);
  });

  it("quotes nothing of what is no YAML", () => {
    const problems = problemsOf(`tokens:\n  - name: "${SECRET}\n`);
    expect(problems.join()).toMatch(/^tokens\.yaml:\d+: not valid YAML/);
    expect(problems.join()).not.toContain(SECRET);
  });

  it.each(["", "tokens: 1", "- a", "others: []"])("needs a list of tokens: %j", (text) => {
    expect(problemsOf(text).length).toBeGreaterThan(0);
  });
});
