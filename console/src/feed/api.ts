import { feedApi, type FeedApi } from "nomad-changefeed-client";
import { SERVER_URL } from "./server.ts";

/** What the bridge is asked once. A request that nobody waits for any more is given up by `signal`. */
export function api(signal?: AbortSignal): FeedApi {
  return feedApi({ url: SERVER_URL, ...(signal !== undefined && { signal }) });
}
