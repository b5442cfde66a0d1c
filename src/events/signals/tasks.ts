import type { JsonObject } from "../../schemas/json.ts";
import { signal, type Signal } from "./signal.ts";
import { became, clocked, inAny, inside, is, rose, taskEvent } from "./transition.ts";

/** Of the tasks of an allocation; allocation events carry them. */
export const TASK_SIGNALS: readonly Signal[] = [
  signal("task.started", "INFO", "A task started", inAny(["TaskStates"], clocked("StartedAt"))),
  signal(
    "task.finished",
    "INFO",
    "A task ended and does not start again",
    inAny(["TaskStates"], clocked("FinishedAt")),
  ),
  signal("task.failed", "ERROR", "A task ended in failure", inAny(["TaskStates"], became("Failed", true))),
  signal(
    "task.restarted",
    "WARN",
    "A task restarted; the change of its Restarts says how many times",
    inAny(["TaskStates"], rose("Restarts")),
  ),
  signal(
    "task.restart_requested",
    "INFO",
    "Somebody or a template asked for a restart",
    taskEvent(is("Type", "Restart Signaled")),
  ),
  signal(
    "task.not_restarting",
    "ERROR",
    "A task used up its restarts, or its policy allows none",
    taskEvent(is("Type", "Not Restarting")),
  ),
  signal("task.oom_killed", "ERROR", "A task was killed for lack of memory", taskEvent(wasOutOfMemory)),
  signal(
    "task.driver_failure",
    "ERROR",
    "The driver could not start a task",
    taskEvent(is("Type", "Driver Failure")),
  ),
  signal(
    "task.setup_failed",
    "ERROR",
    "A task could not be prepared",
    taskEvent(is("Type", "Setup Failure")),
  ),
  signal(
    "task.validation_failed",
    "ERROR",
    "A task's configuration was refused by its node",
    taskEvent(is("Type", "Failed Validation")),
  ),
  signal(
    "task.artifact_failed",
    "ERROR",
    "An artifact of a task could not be downloaded",
    taskEvent(is("Type", "Failed Artifact Download")),
  ),
  signal(
    "task.hook_failed",
    "ERROR",
    "A step around a task failed",
    taskEvent(is("Type", "Task hook failed")),
  ),
  signal(
    "task.restore_failed",
    "ERROR",
    "A task was not found again after its agent restarted",
    taskEvent(is("Type", "Failed Restoring Task")),
  ),
  signal(
    "task.plugin_unhealthy",
    "WARN",
    "A plugin task became unhealthy",
    taskEvent(is("Type", "Plugin became unhealthy")),
  ),
  signal(
    "task.disk_exceeded",
    "ERROR",
    "A task used more disk than it may",
    taskEvent(is("Type", "Disk Resources Exceeded")),
  ),
  signal(
    "task.sibling_failed",
    "WARN",
    "A task is stopped because another of its group failed",
    taskEvent(is("Type", "Sibling Task Failed")),
  ),
  signal(
    "task.leader_dead",
    "INFO",
    "A task is stopped because the leader of its group ended",
    taskEvent(is("Type", "Leader Task Dead")),
  ),
];

function wasOutOfMemory(event: JsonObject): boolean {
  return event["Type"] === "Terminated" && inside(event, "Details", "oom_killed") === "true";
}
