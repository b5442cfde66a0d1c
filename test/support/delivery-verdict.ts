/** What became of events named "<subject>:<number>", numbered in order by subject. */
export interface DeliveryVerdict {
  /** Different ones that arrived. */
  readonly delivered: number;
  /** Arrived and are not in the log: notices, or what the log has lost since. */
  readonly strangers: readonly string[];
  /** Neither arrived nor parked. */
  readonly lost: readonly string[];
  /** Arrived for the first time after a later one of the same subject. */
  readonly outOfOrder: readonly string[];
  /** Parked though not poisoned, or the other way round. */
  readonly wronglyParked: readonly string[];
  readonly parked: number;
  readonly poisoned: number;
  /** Places to which the position went back. */
  readonly wentBack: readonly number[];
}

export function verdictOf({
  committed,
  taken,
  parked,
  poisoned,
  positions = [],
}: {
  readonly committed: readonly string[];
  readonly taken: readonly string[];
  readonly parked: readonly string[];
  readonly poisoned: readonly string[];
  readonly positions?: readonly number[];
}): DeliveryVerdict {
  const arrived = new Set(taken);
  const known = new Set(committed.filter((id) => arrived.has(id)));
  const letters = new Set(parked);
  return {
    delivered: known.size,
    strangers: [...arrived].filter((id) => !known.has(id)),
    lost: committed.filter((id) => !arrived.has(id) && !letters.has(id)),
    outOfOrder: outOfOrder([...arrived]),
    wronglyParked: [
      ...parked.filter((id) => !poisoned.includes(id)),
      ...poisoned.filter((id) => !letters.has(id)),
    ],
    parked: letters.size,
    poisoned: poisoned.length,
    wentBack: positions.filter((place, n) => place < (positions[n - 1] ?? 0)),
  };
}

function outOfOrder(firsts: readonly string[]): string[] {
  const newest = new Map<string, number>();
  return firsts.filter((id) => {
    const colon = id.lastIndexOf(":");
    const [subject, number] = [id.slice(0, colon), Number(id.slice(colon + 1))];
    const before = newest.get(subject) ?? 0;
    newest.set(subject, Math.max(before, number));
    return number < before;
  });
}
