import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure, Skeleton } from "./panel.tsx";

/** A component whose code comes when it is first shown. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  { lines = 8 } = {},
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [, draw] = useState(0);
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then(
        (component) => {
          loaded = component;
          setError(undefined);
          draw((times) => times + 1);
        },
        (reason: unknown) => setError(reason),
      );
    }, []);
    const View = loaded;
    if (View !== undefined) return <View {...props} />;
    if (error === undefined) return <Skeleton lines={lines} />;
    // A bridge of another version has other files: the page itself must come anew.
    return <Failure error="This part of the page could not be loaded." retry={() => location.reload()} />;
  };
}
