import type { Command } from "commander";
import { bashScript } from "./completion/bash.ts";
import { fishScript } from "./completion/fish.ts";
import { placesOf } from "./completion/places.ts";
import { zshScript } from "./completion/zsh.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
export type Shell = keyof typeof SCRIPTS;

/** A script by which the shell completes commands, flags, and values that are a choice of names. It starts no Node. */
export function completionScript(shell: Shell, program: Command): string {
  return SCRIPTS[shell](placesOf(program));
}
