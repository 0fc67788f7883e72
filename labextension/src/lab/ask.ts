// Questions to the Jupyter server: the same as the notebook widget asks its kernel, over HTTP.
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { Request } from '../protocol';
import { aborted } from '../shared/inspector/abort';
import { type Ask, Refused, type WithoutId } from '../shared/inspector/types';

/** Asks about `runId` (unless a question names another run) in the workspace of the document at `path`. */
export function askServer(settings: ServerConnection.ISettings, path: () => string, runId: string | null): Ask {
  let last = 0;
  const ask = async (request: WithoutId<Request>, options: { signal?: AbortSignal; seconds?: number } = {}): Promise<unknown> => {
    const { signal, seconds = 60 } = options;
    const giveUp = new AbortController();
    const abort = (): void => giveUp.abort();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      giveUp.abort();
    }, seconds * 1000);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) {
      abort();
    }
    const where = path();
    const url = URLExt.join(settings.baseUrl, 'aios', 'ask') + URLExt.objectToQueryString(where ? { path: where } : {});
    last += 1;
    try {
      const response = await ServerConnection.makeRequest(
        url,
        {
          method: 'POST',
          body: JSON.stringify({ run_id: runId, ...request, id: last }),
          headers: { 'Content-Type': 'application/json' },
          signal: giveUp.signal
        },
        settings
      );
      if (!response.ok) {
        throw refusal(response.status, await response.json().catch(() => null));
      }
      return (await response.json()) as unknown; // taken back or cut off while it came: no answer
    } catch (e) {
      if (e instanceof Refused) {
        throw e;
      }
      if (signal?.aborted) {
        throw aborted();
      }
      if (late) {
        throw new Refused('The Jupyter server has not answered in time.', 'Timeout', {}, 'It may be busy. Try again in a moment.');
      }
      throw new Refused('The Jupyter server does not answer.', 'Unreachable', {}, 'Is it still running? This view tries again by itself.');
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  };
  return ask as Ask;
}

function refusal(status: number, data: unknown): Refused {
  const body = (typeof data === 'object' && data !== null ? data : {}) as {
    message?: string;
    hint?: string;
    fields?: Record<string, string>;
  };
  if (status === 403) {
    return new Refused('You are not signed in, or may not do this here.', 'Forbidden', {}, 'Reload the page to sign in again.');
  }
  if (status === 404 && !body.message) {
    const hint = 'Run `jupyter server extension enable aios_workbench`, then restart JupyterLab.';
    return new Refused('The AIOS server extension is not enabled.', 'NotEnabled', {}, hint);
  }
  const text = body.message ?? `The server answered ${status}.`;
  const type = status === 404 ? 'NotFound' : status === 409 ? 'Conflict' : status < 500 ? 'Invalid' : 'Server';
  return new Refused(text.charAt(0).toUpperCase() + text.slice(1), type, body.fields ?? {}, body.hint ?? '');
}
