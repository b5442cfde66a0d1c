/** One event, as Nomad writes it. */
export interface WireEvent {
  readonly Topic: string;
  readonly Type: string;
  readonly Key: string;
  readonly Namespace: string;
  readonly FilterKeys: readonly string[] | null;
  readonly Payload: object;
}

/** A frame of Nomad's event stream. */
export function frame(index: number, ...events: readonly WireEvent[]): object {
  return { Index: index, Events: events.map((each) => ({ ...each, Index: index })) };
}

interface Changes {
  readonly namespace?: string;
  readonly type?: string;
  /** Fields of the object. */
  readonly fields?: object;
  /** Fields beside it. */
  readonly beside?: object;
}

function event(topic: string, key: string, object: object, changes: Changes): WireEvent {
  const { namespace = "default", type = "PlanResult", fields = {}, beside = {} } = changes;
  const payload = { [topic]: { ID: key, ...object, ...fields }, ...beside };
  return { Topic: topic, Type: type, Key: key, Namespace: namespace, FilterKeys: null, Payload: payload };
}

export function jobEvent(id: string, changes: Changes = {}): WireEvent {
  return event("Job", id, { ParentID: "" }, changes);
}

export function allocationEvent(id: string, job: string, changes: Changes = {}): WireEvent {
  return event("Allocation", id, { JobID: job }, changes);
}

export function evaluationEvent(id: string, job: string, changes: Changes = {}): WireEvent {
  return event("Evaluation", id, { JobID: job }, changes);
}

export function deploymentEvent(id: string, job: string, changes: Changes = {}): WireEvent {
  return event("Deployment", id, { JobID: job }, changes);
}

export function nodeEvent(id: string, changes: Changes = {}): WireEvent {
  return event("Node", id, {}, { namespace: "", type: "NodeRegistration", ...changes });
}
