import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** One file of the console, as it is answered. */
export interface ConsoleFile {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** Of what it is, however it is compressed. */
  readonly etag: string;
  /** Named by its content, so that what has its name is always the same. */
  readonly immutable: boolean;
  /** Compressed at the first call, once. Undefined: it would not get smaller. */
  compressed(coding: Coding): Promise<Buffer> | undefined;
}

export type Coding = "br" | "gzip";

/** By path, without a slash before it. Empty: the console was not built. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

export const PAGE = "index.html";

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".map": "application/json; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
  }),
);
const COMPRESSED_ALREADY: ReadonlySet<string> = new Set([".ico", ".png", ".woff2"]);
/** Below it, compressing saves no packet. */
const MIN_COMPRESSED_BYTES = 1024;

/** The first reader waits for it: 11 takes 17 times as long and saves 8 % more. */
const BROTLI_QUALITY = 5;

/** All files of a folder that Vite built, read now: no request reaches the disk. */
export function readConsoleFiles(folder: string): ConsoleFiles {
  if (!existsSync(join(folder, PAGE))) return new Map();
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      const served = relative(folder, path).split(sep).join("/");
      return [served, consoleFile(served, readFileSync(path))];
    }),
  );
}

function consoleFile(path: string, bytes: Buffer): ConsoleFile {
  const extension = extname(path);
  const isWorthIt = bytes.length >= MIN_COMPRESSED_BYTES && !COMPRESSED_ALREADY.has(extension);
  const made = new Map<Coding, Promise<Buffer>>();
  return {
    bytes,
    contentType: CONTENT_TYPES.get(extension) ?? "application/octet-stream",
    etag: `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    immutable: path.startsWith("assets/"),
    compressed: (coding) => {
      if (!isWorthIt) return undefined;
      const known = made.get(coding) ?? compress(bytes, coding);
      made.set(coding, known);
      return known;
    },
  };
}

function compress(bytes: Buffer, coding: Coding): Promise<Buffer> {
  if (coding === "gzip") return promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION });
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return promisify(brotliCompress)(bytes, { params });
}
