/** Nobody answered, or nobody could: it may be otherwise in a moment. */
export function mayPass(error: unknown): boolean {
  return error instanceof Error && "retryable" in error && error.retryable === true;
}
