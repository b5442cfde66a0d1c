import { Hearing } from "../../src/coordination/redis/hearing.ts";
import { Speaker, type Podium } from "../../src/coordination/redis/speaker.ts";
import type { Broadcast, BroadcastListener, Speech, Voice } from "../../src/coordination/broadcast.ts";
import { aborted } from "../../src/shared/aborted.ts";
import type { Clock } from "../../src/shared/clock.ts";

/** What processes say to each other, without a Redis between them. */
export class MemoryBroadcast implements Broadcast {
  readonly #clock: Clock;
  readonly #hearings = new Set<Hearing>();
  #turn: string | undefined;
  #asked = 0;
  /** Nothing is heard any more of what is said. */
  isMute = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  speak(speech: Speech, signal: AbortSignal): Voice {
    const nameOf = ({ speaker, number }: { speaker: string; number: number }) => `${speaker}:${number}`;
    const podium: Podium = {
      take: async (turn, isFirst) => {
        if (!isFirst && this.#turn?.startsWith(turn.speaker) !== true) return false;
        this.#turn = nameOf(turn);
        return true;
      },
      say: async (entry) => {
        const isHeard = nameOf(entry.turn) === this.#turn;
        if (isHeard && !this.isMute) for (const hearing of this.#hearings) hearing.hear(entry);
        return { isHeard, asked: this.#asked };
      },
    };
    const speaker = new Speaker(podium, speech, this.#clock);
    return { say: (message) => speaker.say(message), ended: speaker.run(signal) };
  }

  async listen(listener: BroadcastListener, signal: AbortSignal): Promise<void> {
    const hearing = new Hearing(listener, this.#clock);
    this.#hearings.add(hearing);
    await aborted(signal);
    this.#hearings.delete(hearing);
    hearing.lose("nobody listens any more");
  }

  async ask(): Promise<void> {
    this.#asked += 1;
  }
}
