import { expect } from "vitest";
import { bearer } from "./access-feed.ts";

/** What a page of the server's own sends by itself with a request that changes something. */
export function ownPage(url: string): Record<string, string> {
  return { origin: new URL(url).origin, "sec-fetch-site": "same-origin", "x-changefeed-csrf": "1" };
}

/** Signs in as the server's page does. Answers the cookie as a browser sends it, and what came with it. */
export async function signIn(
  url: string,
  token: string,
  { query = "", headers = ownPage(url) }: { query?: string; headers?: Record<string, string> } = {},
): Promise<{ cookie: string; setCookie: string; body: unknown }> {
  const response = await fetch(`${url}/v1/session${query}`, {
    method: "POST",
    headers: { ...headers, ...bearer(token) },
  });
  expect(response.status).toBe(200);
  const setCookie = response.headers.get("set-cookie") ?? "";
  return { cookie: setCookie.split(";", 1)[0] ?? "", setCookie, body: await response.json() };
}
