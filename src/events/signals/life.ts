import { signal, type Signal } from "./signal.ts";
import { appeared, moved, numberText, vanished } from "./transition.ts";

/** The signals of what people make, write again and delete. `what` begins a sentence: "A node pool". */
export function lifeOf(noun: string, what: string): readonly Signal[] {
  return [
    signal(`${noun}.created`, "INFO", `${what} that was not there before`, appeared()),
    signal(`${noun}.changed`, "INFO", `${what} was written again`, moved(numberText("ModifyIndex"))),
    signal(`${noun}.deleted`, "INFO", `${what} is gone`, vanished()),
  ];
}
