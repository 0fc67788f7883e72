// What every part of the inspector is given: somebody to ask, and what the surroundings can do.
import type { Answers, CellRef, CodeEdit, Request } from '../../protocol';

export type WithoutId<R> = R extends Request ? Omit<R, 'id'> : never;

export interface AskOptions {
  signal?: AbortSignal;
  /** Gives up after this long; default 60. */
  seconds?: number;
}

/** Asks kernel or server. Rejects with an Error whose message is for a person; a `Refused`, or an `AbortError`. */
export type Ask = <R extends WithoutId<Request>>(request: R, options?: AskOptions) => Promise<Answers[R['kind']]>;

/** A question that was not answered, in words: `hint` says what to do next, `fields` which inputs to correct. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly type: string,
    readonly fields: Record<string, string> = {},
    readonly hint: string = ''
  ) {
    super(message);
    this.name = 'Refused';
  }
}

export interface News {
  get(runId: string): number;
  subscribe(listener: () => void): () => void;
}

/** What the surroundings can do. What is undefined is not offered on screen. */
export interface Host {
  ask: Ask;
  /** Counts up when this run has news; views ask again then. No polling. */
  news: News;
  /** The server's clock, epoch seconds. */
  now(): number;
  /** The run in a main-area tab. */
  openRun?(runId: string, step?: string, view?: string): void;
  openHistory?(workflow: string): void;
  /** Two runs side by side in a tab: the later one's page. */
  openCompare?(runId: string, other: string): void;
  /** Scrolls a notebook to the cell; false: not found; 'changed': found, with other code than was run. */
  revealCell?(cell: CellRef): Promise<boolean | 'changed'>;
  /** Rejects with what is wrong. */
  writeCell?(edit: CodeEdit, run: boolean): Promise<void>;
  copy(text: string): Promise<void>;
  /** False for a viewer without rights or a lost kernel. */
  canAct: boolean;
}
