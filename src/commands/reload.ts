import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import { z } from "zod";
import {
  feedsReloadReportSchema,
  feedsReloadText,
  reloadReportSchema,
  reloadText,
} from "../schemas/reload-schema.ts";
import type { Io } from "./io.ts";
import { askFeed, type FeedAddress } from "./support/feed-request.ts";

const reportSchema = z.union([feedsReloadReportSchema, reloadReportSchema]);

/** Has a running feed, or a process with several, read its configuration file again, and says what that did. */
export async function reload(options: FeedAddress & { json: boolean }, io: Io): Promise<void> {
  const report = await askFeed(options, { method: "POST", path: "/v1/reload", schema: reportSchema }, io);
  const text = "applied" in report ? feedsReloadText(report) : reloadText(report);
  io.stdout.write(
    options.json
      ? `${terminalJson(JSON.stringify(report, null, 2))}\n`
      : `${plainText(`applied ${report.file}: ${text}`)}\n`,
  );
}
