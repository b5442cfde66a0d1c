import { once } from "node:events";
import { connect } from "node:net";
import { until } from "./until.ts";

/** An event stream as it comes over the wire. */
export interface EventLines extends AsyncDisposable {
  /** Status line and headers. */
  readonly head: string;
  /** The body's lines so far. */
  readonly lines: readonly string[];
  /** The frames so far: lines that are no heartbeats. */
  readonly frames: readonly StreamedFrame[];
  readonly ended: boolean;
  /** Resolves when there are that many frames; rejects where there never are. */
  framesOf(count: number): Promise<readonly StreamedFrame[]>;
  /** Takes no more bytes until `resume`. */
  pause(): void;
  resume(): void;
}

export interface StreamedFrame {
  readonly Index: number;
  readonly Events: readonly StreamedEvent[];
}

interface StreamedEvent {
  readonly Topic: string;
  readonly Type: string;
  readonly Key: string;
  readonly Namespace: string;
  readonly FilterKeys: readonly string[] | null;
  readonly Index: number;
  readonly Payload: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Asks for `/v1/event/stream` on a socket of its own; resolves with the head of the answer. */
export async function openEventLines(url: string, query = "", token = ""): Promise<EventLines> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  let ended = false;
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => (text += chunk));
  socket.on("end", () => (ended = true));
  socket.on("error", () => (ended = true));
  socket.write(`GET /v1/event/stream?${query} HTTP/1.1\r\nHost: nomad\r\nAccept-Encoding: gzip\r\n`);
  socket.write(token === "" ? "\r\n" : `X-Nomad-Token: ${token}\r\n\r\n`);
  const bodyAt = (): number => text.indexOf("\r\n\r\n") + 4;
  const lines = (): string[] => text.slice(bodyAt()).split("\n").slice(0, -1);
  const frames = (): StreamedFrame[] =>
    lines()
      .filter((line) => line !== "{}")
      .map((line) => JSON.parse(line));
  await until("the head of the event stream", () => text.includes("\r\n\r\n") || ended);
  return {
    head: text.slice(0, bodyAt()),
    get lines() {
      return lines();
    },
    get frames() {
      return frames();
    },
    get ended() {
      return ended;
    },
    async framesOf(count) {
      await until(`${count} frames`, () => frames().length >= count || ended);
      return frames();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    async [Symbol.asyncDispose]() {
      socket.destroy();
      if (!socket.closed) await once(socket, "close");
    },
  };
}

/** A query for every event there is. */
export const ALL = "namespace=*&topic=*";

/** Resolves when the other side has ended the stream. */
export const ended = (stream: EventLines): Promise<unknown> =>
  until("the end of the stream", () => stream.ended);

/** `Topic Type key` of every event, ids shortened to their topic. */
export function told(frames: readonly StreamedFrame[]): string[][] {
  return frames.map(({ Events }) => Events.map(({ Topic, Type, Key }) => `${Topic} ${Type} ${Key}`));
}

/** The topics of each frame, sorted. */
export const topicsOf = (frames: readonly StreamedFrame[]): string[][] =>
  frames.map(({ Events }) => Events.map(({ Topic }) => Topic).toSorted());

export const indexesOf = (frames: readonly StreamedFrame[]): number[] => frames.map(({ Index }) => Index);
