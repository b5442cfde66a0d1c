import { namesOf } from "../../shared/json-pointer.ts";

/** How far a value is along one of the paths that are redacted. */
export interface Position {
  readonly steps: readonly string[];
  /** Steps that were taken. */
  readonly at: number;
}

/** Where a path begins: at the object itself. `**` stands for any number of names, none included. */
export function beginOf(path: string): Position[] {
  return withSkipped({ steps: namesOf(path), at: 0 });
}

/** All paths after one more name; "redacted" where one of them ends there. */
export function step(positions: readonly Position[], name: string): readonly Position[] | "redacted" {
  const next: Position[] = [];
  const reach = (steps: readonly string[], at: number): void => {
    for (const position of withSkipped({ steps, at })) {
      if (!next.some((known) => known.steps === steps && known.at === position.at)) next.push(position);
    }
  };
  for (const { steps, at } of positions) {
    const wanted = steps[at];
    if (wanted === "**") reach(steps, at);
    else if (wanted === "*" || wanted === name) reach(steps, at + 1);
  }
  return next.some(({ steps, at }) => at === steps.length) ? "redacted" : next;
}

/** The place itself, and what follows any `**` there. */
function withSkipped(position: Position): Position[] {
  const { steps, at } = position;
  return steps[at] === "**" ? [position, ...withSkipped({ steps, at: at + 1 })] : [position];
}
