import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why no small disk can be had here; undefined where one can. */
export function smallDiskMissing(): string | undefined {
  const isRoot = process.platform === "linux" && process.getuid?.() === 0;
  return isRoot && mounts() ? undefined : "only root may mount a small disk";
}

/** A file system of that size in place of `folder`, until it is disposed of; `ro`: that nobody writes to. */
export function smallDisk(folder: string, size: string, mode: "rw" | "ro" = "rw"): Disposable {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},${mode}`, "tmpfs", folder]);
  return { [Symbol.dispose]: () => void execFileSync("umount", [folder]) };
}

function mounts(): boolean {
  const place = mkdtempSync(join(tmpdir(), "ncf-mount-"));
  const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", place]).status === 0;
  if (isMounted) spawnSync("umount", [place]);
  rmSync(place, { recursive: true });
  return isMounted;
}
