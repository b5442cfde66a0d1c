import type { SendResult } from "./delivery/destination.ts";

/** What somebody has to set right; a full disk (ENOSPC, EDQUOT) and whatever else may pass by itself. */
const CONFIG = new Set([
  "EACCES",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
  "EROFS",
]);

/** What the error of a file that cannot be written means. */
export function diskResult(error: unknown): SendResult {
  const { message, code = "" } = error as NodeJS.ErrnoException;
  if (CONFIG.has(code)) return { outcome: "refused", why: "config", reason: message };
  return { outcome: "retry", reason: message };
}
