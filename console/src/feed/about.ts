import { signal } from "@preact/signals";
import type { About } from "nomad-changefeed-client";
import { api } from "./api.ts";

/** What the bridge says it is; undefined until it has answered. */
export const about = signal<About | undefined>(undefined);

export async function readAbout(): Promise<void> {
  about.value = await api().about();
}

/** `nomad://prod/global` in its parts. */
export function placeOf(source: string): { cluster: string; region: string } {
  const [cluster = "", region = ""] = source.replace(/^nomad:\/\//, "").split("/");
  return { cluster: decodeURIComponent(cluster), region: decodeURIComponent(region) };
}
