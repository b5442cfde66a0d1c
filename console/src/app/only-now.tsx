import { Notice } from "../ui/panel.tsx";
import { asOf } from "./router.ts";

/** What the log does not hold is shown as it is now, and says so while another time is shown. */
export function OnlyNow({ children }: { children: string }) {
  return asOf.value === "" ? null : <Notice>{children}</Notice>;
}
