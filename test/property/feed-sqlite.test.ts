import { expect, test } from "vitest";
import { checkAgainstModel } from "../contract/feed-log-model.ts";
import { openTemporarySqliteLog } from "../support/sqlite-files.ts";

test("the SQLite log does what a list of events and a map of objects would do", () =>
  expect(checkAgainstModel(openTemporarySqliteLog, 60)).resolves.toBeUndefined());
