// Requests to the kernel: each is answered, refused, taken back, or gives up waiting.
import type { AnyModel } from '@anywidget/types';

import type { Answer, ErrorReply } from '../src/protocol';
import { aborted } from '../src/shared/inspector/abort';
import { type Ask, Refused } from '../src/shared/inspector/types';

interface Waiting {
  resolve: (data: never) => void;
  reject: (error: Error) => void;
  /** Undoes timer and abort listener. */
  forget: () => void;
}

export class Client {
  private waiting = new Map<number, Waiting>();
  // Two views of one widget share its messages: a random start keeps their numbers apart.
  private last = Math.floor(Math.random() * 2 ** 40);
  /** Called whenever the kernel is heard of. */
  onAnswer: () => void = () => undefined;

  constructor(private model: Pick<AnyModel, 'on' | 'off' | 'send'>) {
    model.on('msg:custom', this.received);
  }

  readonly ask: Ask = (request, { signal, seconds = 60 } = {}) => {
    const id = (this.last += 1);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(aborted());
        return;
      }
      const abort = (): void => {
        this.take(id);
        reject(aborted());
      };
      const timer = setTimeout(() => {
        this.take(id);
        reject(new Refused('The kernel has not answered. It may be busy with a cell, or gone.', 'Timeout'));
      }, seconds * 1000);
      signal?.addEventListener('abort', abort, { once: true });
      const forget = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      this.waiting.set(id, { resolve: resolve as (data: never) => void, reject, forget });
      this.model.send({ ...request, id });
    });
  };

  dispose(): void {
    this.model.off('msg:custom', this.received);
    this.waiting.forEach(w => w.forget());
    this.waiting.clear();
  }

  private take(id: number): Waiting | undefined {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    asked?.forget();
    return asked;
  }

  private readonly received = (message: Answer | ErrorReply, buffers?: DataView[]): void => {
    this.onAnswer();
    const asked = this.take(message?.id);
    if (asked === undefined) {
      return;
    }
    if (message.kind === 'error') {
      asked.reject(new Refused(message.message, message.type, message.fields));
    } else {
      // Many numbers come as bytes beside the message: what reads them finds them on the answer.
      asked.resolve((buffers?.length ? { ...(message.data as object), buffers } : message.data) as never);
    }
  };
}
