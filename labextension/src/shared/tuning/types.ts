// What every part of the tuning's screen is given.
import type { CodeEdit } from '../../protocol';
import type { TuningAnswers, TuningQuestion } from '../../tuning_protocol';
import type { AskOptions } from '../inspector/types';

export type WithoutId<R> = R extends TuningQuestion ? Omit<R, 'id'> : never;

/** Asks the kernel. Rejects with an Error whose message is for a person; a `Refused`, or an `AbortError`. */
export type TuningAsk = <R extends WithoutId<TuningQuestion>>(request: R, options?: AskOptions) => Promise<TuningAnswers[R['kind']]>;

/** What the surroundings can do. What is undefined is not offered on screen. */
export interface TuningHost {
  ask: TuningAsk;
  copy(text: string): Promise<void>;
  /** False when nobody answers any more. */
  canAct: boolean;
  /** Rejects with what is wrong. */
  writeCell?(edit: CodeEdit, run: boolean): Promise<void>;
}

export interface Brush {
  /** Recall, from and to. */
  recall: [number, number];
  /** Of the axis shown: queries a second, or milliseconds. */
  value: [number, number];
  axis: Axis;
}

export type Axis = 'qps' | 'p95_ms';
