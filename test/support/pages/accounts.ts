import { basename } from "node:path";
import type { Block } from "./pages.ts";

/** Where blocks of commands are run that no other test runs. */
export const NEWCOMER = "test/newcomer/pages.test.ts";
const CLONE = "test/newcomer/bare-clone.test.ts";

/** Who deals with blocks of a page. Of several that fit a block, the first counts. */
export interface Account {
  readonly page: string;
  /** Blocks of this language alone; absent: of any. `shell` is what is typed, in either way to write it. */
  readonly language?: string;
  /** Those that begin so alone; absent: all. */
  readonly begins?: string;
  /** The test that runs them, or makes them, or takes them as its input. */
  readonly test?: string;
  /** What that test has in its text, to find them by; else the name of the page. */
  readonly names?: string;
  /** JSON of this shape (json-checks.ts). */
  readonly shape?: string;
  /** Why nothing runs them. */
  readonly because?: string;
}

const DOCKER =
  "needs Docker; test/integration/container.test.ts builds and runs the image where there is one";
const REGISTRY = "fetches what it needs from a registry at that moment";
const OUTPUT = "what a program printed once, for people";

export const ACCOUNTS: readonly Account[] = [
  { page: "CONTRIBUTING.md", begins: "scripts/demo", test: NEWCOMER, names: "NEWCOMER" },
  { page: "CONTRIBUTING.md", begins: "scripts/test", because: "it is what runs this test" },
  { page: "PROTOCOL.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "PROTOCOL.md", begins: '{\n  "protocol"', shape: "data of hello" },
  { page: "PROTOCOL.md", begins: '{\n  "code"', shape: "problem" },
  { page: "PROTOCOL.md", begins: '{\n  "auth"', shape: "session" },
  { page: "PROTOCOL.md", begins: '{\n  "since"', shape: "counts" },
  { page: "PROTOCOL.md", begins: '{\n  "job"', shape: "jobVersions" },
  { page: "README.md", language: "text", because: OUTPUT },
  { page: "README.md", begins: "scripts/demo", test: CLONE },
  { page: "README.md", begins: "cat >feed.yaml", test: "test/integration/readme-deliver.test.ts" },
  { page: "README.md", begins: "cat >alerts.yaml", test: "test/newcomer/readme-alerts.test.ts" },
  { page: "README.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "README.md", language: "json", shape: "part of a change" },
  { page: "clients/go/README.md", language: "go", test: "test/integration/go-client.test.ts" },
  { page: "clients/go/README.md", language: "shell", because: REGISTRY },
  { page: "clients/python/README.md", language: "python", test: "test/integration/python-client.test.ts" },
  { page: "clients/python/README.md", language: "shell", because: REGISTRY },
  { page: "console/README.md", because: "the console's own developers; test/console builds it and opens it" },
  { page: "docs/access.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/alerting-messages.md", language: "text", test: "test/unit/alert-messages.test.ts" },
  { page: "docs/alerting-messages.md", language: "json", test: "test/unit/alert-messages.test.ts" },
  { page: "docs/alerting-messages.md", language: "liquid", test: "test/unit/alert-messages.test.ts" },
  { page: "docs/alerting.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/as-of-and-why.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/as-of-and-why.md", language: "text", because: OUTPUT },
  { page: "docs/audit.md", language: "sh", test: "test/newcomer/audit-docs.test.ts" },
  { page: "docs/audit.md", language: "go", test: "test/newcomer/audit-docs.test.ts" },
  {
    page: "docs/audit.md",
    language: "crontab",
    because: "needs cron; http-audit.test.ts reads that address",
  },
  { page: "docs/audit.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/client.md", language: "go", test: "test/integration/go-client.test.ts" },
  { page: "docs/client.md", language: "python", test: "test/integration/python-client.test.ts" },
  { page: "docs/client.md", language: "shell", because: REGISTRY },
  { page: "docs/concepts.md", begins: '{\n  "specversion"', shape: "change" },
  { page: "docs/concepts.md", begins: '{\n  "type"', shape: "part of a change" },
  { page: "docs/concepts.md", language: "js", test: CLONE, names: "nomad-changefeed/schemas/" },
  { page: "docs/concepts.md", language: "json", shape: "part of its data" },
  { page: "docs/decisions/0029-what-a-hint-is-trusted-for.md", language: "text", because: "a drawing" },
  { page: "docs/deliveries.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/destinations.md", language: "shell", because: REGISTRY },
  { page: "docs/feeds.md", language: "json", shape: "part of a frame over all feeds" },
  {
    page: "docs/feeds.md",
    language: "shell",
    because: "needs two clusters; test/e2e/feeds.test.ts has them",
  },
  { page: "docs/filters.md", language: "filter", test: "test/unit/filter-docs.test.ts" },
  { page: "docs/filters.md", language: "text", because: OUTPUT },
  { page: "docs/filters.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  {
    page: "docs/metrics.md",
    language: "promql",
    test: "test/integration/metrics.test.ts",
    names: "METRIC_EXAMPLES",
  },
  {
    page: "docs/nomad-events.md",
    language: "json",
    because: "a frame of Nomad's form; test/integration/nomad-events-extra.test.ts reads such",
  },
  { page: "docs/nomad-events.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/operations.md", language: "hcl", test: "test/unit/deploy-files.test.ts" },
  {
    page: "docs/operations.md",
    language: "nginx",
    because: "needs nginx; test/integration/below-a-path.test.ts has a proxy that does the same",
  },
  {
    page: "docs/operations.md",
    language: "caddy",
    because: "needs Caddy; test/integration/below-a-path.test.ts has a proxy that does the same",
  },
  { page: "docs/operations.md", begins: "docker ", because: DOCKER },
  { page: "docs/operations.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/redaction.md", language: "json", shape: "part of a change" },
  { page: "docs/redis-log.md", language: "conf", test: "test/unit/container-files.test.ts" },
  { page: "docs/redis-log.md", language: "redis", test: "test/redis/secrets.test.ts" },
  { page: "docs/redis-log.md", begins: "nomad-changefeed run", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/redis-log.md", test: "test/integration/redis-docs.test.ts" },
  { page: "docs/resources.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/runbook.md", language: "sh", test: "test/integration/runbook.test.ts" },
  { page: "docs/runbook.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/sqlite-log.md", language: "sql", test: "test/integration/sqlite-shell.test.ts" },
  { page: "docs/sqlite-log.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  { page: "docs/telemetry.md", language: "shell", because: REGISTRY },
  { page: "docs/telemetry.md", language: "text", because: "a drawing" },
  { page: "docs/waiting.md", language: "text", because: OUTPUT },
  { page: "docs/waiting.md", language: "shell", test: NEWCOMER, names: "NEWCOMER" },
  {
    page: "examples/README.md",
    begins: "npx",
    test: "test/integration/client-examples.test.ts",
    names: '"consume"',
  },
  {
    page: "examples/README.md",
    language: "shell",
    test: "test/integration/examples.test.ts",
    names: "redis-consumer-group.ts",
  },
];

export function isShell({ language }: Block): boolean {
  return language === "indented" || language === "sh";
}

export function accountOf(block: Block): Account | undefined {
  return ACCOUNTS.find(
    ({ page, language = block.language, begins = "" }) =>
      page === block.page &&
      (language === "shell" ? isShell(block) : language === block.language) &&
      block.text.startsWith(begins),
  );
}

/** What a test has in its text that deals with the blocks of an account. */
export function nameIn({ page, names }: Account): string {
  return names ?? basename(page);
}
