import type { OpenSocket } from "./socket.ts";

/**
 * A browser can neither set headers (so the token goes in a subprotocol), nor see pings and HTTP statuses, nor
 * stop reading.
 */
export const openBrowserSocket: OpenSocket = ({ url, token }, listener) => {
  const socket = new WebSocket(url, token === undefined ? [] : ["cloudevents.json", bearerProtocol(token)]);
  socket.addEventListener("open", listener.onOpened);
  socket.addEventListener("message", ({ data }: { data: unknown }) => {
    // Binary frames are no part of the protocol: their text is no JSON, and is refused as such.
    listener.onText(typeof data === "string" ? data : "");
  });
  socket.addEventListener("close", ({ code }) => listener.onClosed(code));
  // A browser finishes the handshake by itself, however long it takes.
  return { close: async () => socket.close(1000) };
};

/** `bearer.<base64url of the token's UTF-8>` */
function bearerProtocol(token: string): string {
  const bytes = String.fromCodePoint(...new TextEncoder().encode(token));
  return `bearer.${btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}
