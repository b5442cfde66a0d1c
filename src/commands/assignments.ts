import { assignmentsSchema, type AssignmentStatus } from "../schemas/assignment-schema.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import { coloursFor, type Colours } from "./support/colours.ts";
import { EXIT_CODES } from "./support/exit.ts";
import { askFeed, type FeedAddress } from "./support/feed-request.ts";
import { timeText } from "./support/times.ts";

/** Shows who does what for a feed. Answers 1 where something is not done, or cannot be. */
export async function assignments(options: FeedAddress & { json: boolean }, io: Io): Promise<number> {
  const question = { path: "/v1/assignments", schema: assignmentsSchema };
  const { assignments: found } = await askFeed(options, question, io);
  io.stdout.write(
    options.json
      ? `${terminalJson(JSON.stringify({ assignments: found }, null, 2))}\n`
      : table(found, coloursFor(io)),
  );
  return found.every(isWell) ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function isWell({ state, condition }: AssignmentStatus): boolean {
  return state === "held" && (condition === null || condition === "ok" || isLacking(condition));
}

/** What this Nomad does not have is no failure (docs/resources.md). */
function isLacking(condition: AssignmentStatus["condition"]): boolean {
  return condition === "unsupported";
}

function table(found: readonly AssignmentStatus[], colours: Colours): string {
  const head = ["ASSIGNMENT", "WORKER", "SINCE", "CONDITION", "READING", "LAG", "INDEX", "OBJECTS"];
  const rows = found.map((assignment) => rowOf(assignment).map(plainText));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const lines = rows.map((row, n) => {
    const assignment = found[n];
    if (assignment === undefined) return line(row);
    const { condition, reason: why } = assignment;
    if (isWell(assignment) && !isLacking(condition)) return line(row);
    const reason = why === null ? "" : `  ${colours.dim(plainText(why))}`;
    return `${isLacking(condition) ? line(row) : colours.yellow(line(row))}${reason}`;
  });
  const workers = new Set(found.flatMap(({ worker }) => worker ?? []));
  const heldBy = [...workers].toSorted().map((worker) => {
    const share = found.filter((assignment) => assignment.worker === worker).length;
    return `${plainText(worker)}: ${share}`;
  });
  const end = colours.dim(`${found.length} assignments; ${heldBy.join(", ") || "no worker"}`);
  return `${colours.bold(line(head))}\n${lines.map((text) => `${text}\n`).join("")}${end}\n`;
}

function rowOf({
  assignment,
  state,
  worker,
  since,
  condition,
  reading,
  lagMs,
  index,
  objects,
}: AssignmentStatus): string[] {
  return [
    assignment,
    worker ?? "-",
    since === null ? "-" : timeText(since),
    state === "held" ? (condition ?? "-") : state,
    reading ?? "-",
    lagMs === null ? "-" : `${(lagMs / 1000).toFixed(1)}s`,
    index ?? "-",
    objects === null ? "-" : String(objects),
  ];
}
