// Requests to the kernel: each is answered, refused, or gives up waiting.
import type { AnyModel } from '@anywidget/types';

import type { Answer, Answers, ErrorReply, Request } from '../src/protocol';
import type { Traits } from './store';

type WithoutId<R> = R extends Request ? Omit<R, 'id'> : never;
export type Ask = <R extends WithoutId<Request>>(request: R, seconds?: number) => Promise<Answers[R['kind']]>;

export class Refused extends Error {
  constructor(
    message: string,
    readonly type: string,
    readonly fields: Record<string, string> = {}
  ) {
    super(message);
  }
}

interface Waiting {
  resolve: (data: never) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class Client {
  private waiting = new Map<number, Waiting>();
  // Two views of one widget share its messages: a random start keeps their numbers apart.
  private last = Math.floor(Math.random() * 2 ** 40);
  /** Called whenever the kernel is heard of. */
  onAnswer: () => void = () => undefined;

  constructor(private model: AnyModel<Traits>) {
    model.on('msg:custom', this.received);
  }

  readonly ask: Ask = (request, seconds = 60) => {
    const id = (this.last += 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Refused('The kernel has not answered. It may be busy with a cell, or gone.', 'Timeout'));
      }, seconds * 1000);
      this.waiting.set(id, { resolve: resolve as (data: never) => void, reject, timer });
      this.model.send({ ...request, id });
    });
  };

  dispose(): void {
    this.model.off('msg:custom', this.received);
    this.waiting.forEach(w => clearTimeout(w.timer));
    this.waiting.clear();
  }

  private readonly received = (message: Answer | ErrorReply): void => {
    this.onAnswer();
    const asked = this.waiting.get(message?.id);
    if (asked === undefined) {
      return;
    }
    this.waiting.delete(message.id);
    clearTimeout(asked.timer);
    if (message.kind === 'error') {
      asked.reject(new Refused(message.message, message.type, message.fields));
    } else {
      asked.resolve(message.data as never);
    }
  };
}
