import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import { reloadReportSchema, reloadText } from "../schemas/reload-schema.ts";
import type { Io } from "./io.ts";
import { askFeed, type FeedAddress } from "./support/feed-request.ts";

/** Has a running feed read its configuration file again, and says what that did. */
export async function reload(options: FeedAddress & { json: boolean }, io: Io): Promise<void> {
  const report = await askFeed(
    options,
    { method: "POST", path: "/v1/reload", schema: reloadReportSchema },
    io,
  );
  io.stdout.write(
    options.json
      ? `${terminalJson(JSON.stringify(report, null, 2))}\n`
      : `${plainText(`applied ${report.file}: ${reloadText(report)}`)}\n`,
  );
}
