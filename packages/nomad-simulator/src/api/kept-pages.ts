import type { Random } from "../random.ts";
import type { Row } from "../store/row.ts";

/** A part of a long list, as it was last sent. */
interface KeptPage {
  readonly rows: readonly Row[];
  /** Each row with a comma before it. */
  readonly bytes: Buffer;
}

/** By their first row, and gone with it: a write makes a new row. */
const KEPT = new WeakMap<Row, KeptPage>();
const COMMA = Buffer.from(",");
/** Share of the pages whose maps come in a new order. */
const RENEWED = 1 / 256;

/**
 * The rows' JSON in pages of some 64, each row with a comma before it. A page without a changed row is the bytes of
 * last time: to write 100,000 allocations anew for each list would cost more than Nomad's own work.
 */
export function* keptPages(rows: readonly Row[], random: Random): Generator<Buffer> {
  let from = 0;
  for (const [position, row] of rows.entries()) {
    if (position + 1 < rows.length && !endsPage(row.key)) continue;
    yield pageOf(rows.slice(from, position + 1), random);
    from = position + 1;
  }
}

/** By the key alone, so that a row that comes or goes moves no other row to another page. */
function endsPage(key: string): boolean {
  const last = key.length - 1;
  const hash = (key.charCodeAt(last) * 31 + key.charCodeAt(last - 1)) * 31 + key.charCodeAt(last - 2);
  return Math.imul(hash, 0x9e3779b1) >>> 26 === 0;
}

function pageOf(rows: readonly Row[], random: Random): Buffer {
  const first = rows[0] as Row;
  const kept = KEPT.get(first);
  const anew = random.chance(RENEWED);
  const same =
    kept?.rows.length === rows.length && rows.every((row, position) => row === kept.rows[position]);
  if (kept !== undefined && same && !anew) return kept.bytes;
  const bytes = Buffer.concat(rows.flatMap((row) => [COMMA, row.rendered(random, anew)]));
  let end = 0;
  for (const row of rows) {
    const start = end + 1;
    end = start + row.rendered(random, false).length;
    row.keepIn(bytes.subarray(start, end));
  }
  KEPT.set(first, { rows, bytes });
  return bytes;
}
