import { RequestFailed } from "nomad-changefeed-client";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { heedSession } from "./session.ts";

/** What was asked for. What was there before stays while it is asked for again, so that nothing jumps. */
export interface Loaded<Value> {
  readonly value: Value | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface LoadOptions {
  /** Asked again so long after an answer, while the page is looked at, ms. Absent: once. */
  readonly everyMs?: number;
}

interface Answer<Value> {
  readonly value: Value | undefined;
  readonly error: unknown;
  readonly key: string;
}

/** Not this token's to know: asking again changes nothing. */
function isForbidden(error: unknown): boolean {
  return error instanceof RequestFailed && error.status === 403;
}

/** Asks the bridge, and again when `key` changes; what belongs to another key is not shown. */
export function useLoaded<Value>(
  key: string,
  load: (signal: AbortSignal) => Promise<Value>,
  { everyMs }: LoadOptions = {},
): Loaded<Value> {
  const [answer, setAnswer] = useState<Answer<Value>>({ value: undefined, error: undefined, key });
  const [isLoading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback(() => setRound((times) => times + 1), []);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    // An answer that takes longer than that is still waited for.
    const askAgain = () => {
      timer = setTimeout(() => (document.hidden ? askAgain() : reload()), everyMs);
    };
    const settle = (next: (last: Answer<Value>) => Answer<Value>, isLast = false) => {
      if (stop.signal.aborted) return;
      setAnswer(next);
      setLoading(false);
      if (everyMs !== undefined && !isLast) askAgain();
    };
    setLoading(true);
    latest.current(stop.signal).then(
      (value) => settle(() => ({ value, error: undefined, key })),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        heedSession(error);
        settle(
          (last) => ({ value: last.key === key ? last.value : undefined, error, key }),
          isForbidden(error),
        );
      },
    );
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [key, round, everyMs]);
  const isCurrent = answer.key === key;
  return {
    value: isCurrent ? answer.value : undefined,
    error: isCurrent ? answer.error : undefined,
    isLoading: isLoading || !isCurrent,
    reload,
  };
}
