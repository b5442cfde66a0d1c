import { about } from "../feed/about.ts";
import { troubles, type Trouble } from "../feed/health.ts";
import { Button } from "../ui/button.tsx";
import { Notice } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { count } from "../words/names.ts";
import { useCommands } from "./keys.ts";
import { asOf, setQuery } from "./router.ts";

/** What concerns whatever page is open: another time is shown, or parts of the cluster cannot be seen. */
export function Banners() {
  return (
    <>
      {asOf.value !== "" && <PastBanner at={asOf.value} />}
      <StaleBanner troubles={troubles.value} />
    </>
  );
}

function PastBanner({ at }: { at: string }) {
  const toNow = () => setQuery({ at: null }, { replace: false });
  useCommands([{ group: "Time", words: "Back to now", keys: "n", run: toNow }]);
  const isCursor = about.value !== undefined && at.startsWith(`${about.value.feed.head.split("-")[0]}-`);
  return (
    <Notice
      kind="past"
      action={
        <Button onClick={toNow} hint="n">
          Back to now
        </Button>
      }
    >
      As of {isCursor || Number.isNaN(Date.parse(at)) ? <code>{at}</code> : <Time at={at} as="clock" />}: what
      is shown is how it was then.
    </Notice>
  );
}

function StaleBanner({ troubles: all }: { troubles: readonly Trouble[] }) {
  const [first] = all;
  if (first === undefined) return null;
  const names = all.slice(0, 3).map(({ scope }) => scope.replace("/", " in "));
  const more = all.length > names.length ? ` and ${count(all.length - names.length, "other scope")}` : "";
  const isLost = all.some(({ condition }) => condition === "access-lost");
  return (
    <Notice kind="warn">
      {isLost ? "Not accessible" : "Not up to date"}: {names.join(", ")}
      {more}
      {first.lastOkAt !== null && (
        <>
          , last read <Time at={first.lastOkAt} as="age" />
        </>
      )}
      {first.reason !== "" && <>. {first.reason}</>}
    </Notice>
  );
}
