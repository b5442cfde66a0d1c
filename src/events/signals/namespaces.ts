import { signal, type Signal } from "./signal.ts";
import { appeared, vanished } from "./transition.ts";

export const NAMESPACE_SIGNALS: readonly Signal[] = [
  signal("namespace.created", "INFO", "A namespace that was not there before", appeared()),
  signal("namespace.deleted", "INFO", "The namespace is gone", vanished()),
];
