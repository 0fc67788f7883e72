// Questions can be taken back.

export function aborted(): DOMException {
  return new DOMException('Not needed any more.', 'AbortError');
}

/** True for the error of a question that was taken back: nothing to tell anybody. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
