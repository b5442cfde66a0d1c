import { troubles, type Trouble } from "../feed/health.ts";
import { Notice } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { count } from "../words/names.ts";
import { isShownOn } from "./concerns.ts";
import { asOf, href, route } from "./router.ts";
import { AsOfBar } from "./as-of-bar.tsx";

/** What concerns the page that is open: another time is shown, or parts of the cluster cannot be seen now. */
export function Banners() {
  return (
    <>
      <AsOfBar />
      <StaleBanner
        troubles={
          asOf.value === "" ? troubles.value.filter(({ scope }) => isShownOn(route.value, scope)) : []
        }
      />
    </>
  );
}

function StaleBanner({ troubles: all }: { troubles: readonly Trouble[] }) {
  const [first] = all;
  if (first === undefined) return null;
  const names = all.slice(0, 3).map(({ scope }) => scope.replace("/", " in "));
  const more = all.length > names.length ? ` and ${count(all.length - names.length, "other scope")}` : "";
  const isLost = all.some(({ condition }) => condition === "access-lost");
  return (
    <Notice kind="warn" action={<a href={href(["cluster"])}>All scopes</a>}>
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
