import { membersOf, numberOf, objectsIn, textInside, textOf } from "../../alerts/model/stub.ts";
import type { JsonObject } from "../../schemas/json.ts";
import { subjectOf } from "../../schemas/resources.ts";
import type { Severity } from "../../schemas/severity.ts";
import type { WhyStep } from "../../schemas/why-schema.ts";
import { named, type ObjectFact } from "./facts.ts";
import { timeIn } from "./times.ts";

/** Types of task events that tell nothing of why. */
const DULL = new Set([
  "Received",
  "Task Setup",
  "Building Task Directory",
  "Downloading Artifacts",
  "Killed",
]);
const BAD = /fail|error|exceed|not restarting|unhealthy|unrecoverable/iu;

/** What happened to the tasks of an allocation, once each, though Nomad keeps only ten events of a task. */
export function taskSteps(object: ObjectFact): WhyStep[] {
  const steps = new Map<string, WhyStep>();
  const sources: { cursor?: string; stub: JsonObject }[] = [...object.events, { stub: object.stub }];
  for (const { cursor, stub } of sources) {
    for (const [task, state] of membersOf(stub["TaskStates"])) {
      for (const [at, event] of objectsIn(state["Events"]).entries()) {
        const name = `${task} ${textOf(event, "Type")} ${numberOf(event, "Time")}`;
        if (steps.has(name) || DULL.has(textOf(event, "Type"))) continue;
        const wasAsked = objectsIn(state["Events"])
          .slice(0, at)
          .some(({ Type }) => Type === "Killing");
        const step = stepOf(object, task, event, wasAsked);
        if (step !== undefined) steps.set(name, { ...step, ...(cursor !== undefined && { cursor }) });
      }
    }
  }
  return [...steps.values()];
}

function stepOf(
  { ref }: ObjectFact,
  task: string,
  event: JsonObject,
  wasAsked: boolean,
): WhyStep | undefined {
  const time = timeIn(event, "Time");
  const words = taskWords(event);
  if (time === undefined || words === undefined) return undefined;
  return {
    time,
    subject: subjectOf(ref),
    words: `Task ${task} of ${named(ref)} ${words}`,
    severity: severityOf(event, wasAsked),
  };
}

function taskWords(event: JsonObject): string | undefined {
  const type = textOf(event, "Type");
  const message = textOf(event, "DisplayMessage") || textOf(event, "Message");
  if (type === "Started") return "started";
  if (type === "Killing") return "was told to end";
  if (type === "Terminated") return endWords(event);
  if (type === "Restarting") return `is started again${reason(message)}`;
  if (type === "Not Restarting") return `is not started again${reason(message)}`;
  return message === "" && type === "" ? undefined : `had ${type}${reason(message)}`;
}

function endWords(event: JsonObject): string {
  const detail = (name: string) => textInside(event, "Details", name);
  if (detail("oom_killed") === "true") return "was killed because it used more memory than it may";
  const code = detail("exit_code") || String(numberOf(event, "ExitCode"));
  const signal = detail("signal");
  return `ended with exit code ${code}${signal === "" || signal === "0" ? "" : `, by signal ${signal}`}`;
}

function reason(message: string): string {
  return message === "" ? "" : `: ${message}`;
}

function severityOf(event: JsonObject, wasAsked: boolean): Severity {
  const type = textOf(event, "Type");
  if (type === "Terminated") {
    if (textInside(event, "Details", "oom_killed") === "true") return "ERROR";
    const code = textInside(event, "Details", "exit_code") || String(numberOf(event, "ExitCode"));
    return code === "0" || wasAsked ? "INFO" : "ERROR";
  }
  if (BAD.test(type)) return "ERROR";
  return type === "Restarting" ? "WARN" : "INFO";
}
