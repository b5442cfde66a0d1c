export interface SocketRequest {
  /** ws:// or wss:// */
  readonly url: string;
  readonly token: string | undefined;
}

/** An answer in HTTP instead of a stream. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  /** What the server asks to wait. */
  readonly retryAfterMs: number;
}

/** What a socket tells; nothing more after `onRefused` or `onClosed`. */
export interface SocketListener {
  readonly onOpened: () => void;
  readonly onText: (text: string) => void;
  /** It lives, and carries nothing. */
  readonly onAlive: () => void;
  readonly onRefused: (refusal: Refusal) => void;
  /** `problem`: what the system says, where it says something. `isUntrusted`: TLS failed in a way that stays so. */
  readonly onClosed: (code: number, problem?: string, isUntrusted?: boolean) => void;
}

/** A WebSocket as the client needs one: Node's or a browser's. */
export interface Socket {
  /** Stops reading, so that the server waits. Absent where that cannot be done, as in browsers. */
  readonly flow?: { readonly pause: () => void; readonly resume: () => void };
  /** Resolves once it holds nothing of ours. */
  close(): Promise<void>;
}

/** Opens one at once; whatever goes wrong is told to the listener. */
export type OpenSocket = (request: SocketRequest, listener: SocketListener) => Socket;
