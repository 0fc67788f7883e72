// Asks for the code a form stands for while one types: the last question wins, the earlier ones are taken back.
import { useEffect, useState } from 'react';

import type { CodeEdit } from '../../protocol';
import { isAbort } from '../inspector/abort';
import type { Ask, WithoutId } from '../inspector/types';
import type { EditStep, NewStep } from '../../protocol';

export type Asked = WithoutId<EditStep> | WithoutId<NewStep>;

export interface Preview {
  edit: CodeEdit | null;
  problem: string;
  fields: Record<string, string>;
  busy: boolean;
}

const PAUSE_MS = 250;
const NONE: Preview = { edit: null, problem: '', fields: {}, busy: false };

/** `asked` is null while there is nothing to ask; it is compared by its content. */
export function usePreview(ask: Ask, asked: Asked | null): Preview {
  const [preview, setPreview] = useState<Preview>(NONE);
  const key = JSON.stringify(asked);
  useEffect(() => {
    if (asked === null) {
      setPreview(NONE);
      return;
    }
    const control = new AbortController();
    setPreview(now => ({ ...now, busy: true }));
    const timer = setTimeout(() => {
      (ask(asked, { signal: control.signal }) as Promise<CodeEdit>).then(
        edit => !control.signal.aborted && setPreview({ edit, problem: '', fields: {}, busy: false }),
        (e: Error & { fields?: Record<string, string> }) => {
          if (!control.signal.aborted && !isAbort(e)) {
            setPreview({ edit: null, problem: e.message, fields: e.fields ?? {}, busy: false });
          }
        }
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `key` is all of `asked`
  }, [ask, key]);
  return asked === null ? NONE : preview; // nothing is asked: no answer of before stands beside it, not for a moment
}
