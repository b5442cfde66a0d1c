import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** What was asked for. What was there before stays while it is asked for again, so that nothing jumps. */
export interface Loaded<Value> {
  readonly value: Value | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  /** Ms since 1970 of the last answer. */
  readonly atMs: number | undefined;
  readonly reload: () => void;
}

interface LoadOptions {
  /** Asked again so often while the page is looked at, ms. Absent: once. */
  readonly everyMs?: number;
}

interface Answer<Value> {
  readonly value: Value | undefined;
  readonly error: unknown;
  readonly atMs: number | undefined;
  readonly key: string;
}

function nothingOf<Value>(key: string): Answer<Value> {
  return { value: undefined, error: undefined, atMs: undefined, key };
}

/** Asks the bridge, and again when `key` changes; what belongs to another key is not shown. */
export function useLoaded<Value>(
  key: string,
  load: (signal: AbortSignal) => Promise<Value>,
  { everyMs }: LoadOptions = {},
): Loaded<Value> {
  const [answer, setAnswer] = useState<Answer<Value>>({
    value: undefined,
    error: undefined,
    atMs: undefined,
    key,
  });
  const [isLoading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const stop = new AbortController();
    setLoading(true);
    void latest
      .current(stop.signal)
      .then(
        (value) => {
          if (!stop.signal.aborted) setAnswer({ value, error: undefined, atMs: Date.now(), key });
        },
        (error: unknown) => {
          if (!stop.signal.aborted)
            setAnswer((last) => ({ ...(last.key === key ? last : nothingOf<Value>(key)), error }));
        },
      )
      .finally(() => {
        if (!stop.signal.aborted) setLoading(false);
      });
    return () => stop.abort();
  }, [key, round]);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) setRound((times) => times + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const reload = useCallback(() => setRound((times) => times + 1), []);
  const isCurrent = answer.key === key;
  return {
    value: isCurrent ? answer.value : undefined,
    error: isCurrent ? answer.error : undefined,
    atMs: isCurrent ? answer.atMs : undefined,
    isLoading,
    reload,
  };
}
