// What every part of the drift report's screen is given.
import type { DriftAnswers, DriftQuestion, Slice } from '../../drift_protocol';
import type { CodeEdit } from '../../protocol';
import type { AskOptions } from '../inspector/types';

export type WithoutId<R> = R extends DriftQuestion ? Omit<R, 'id'> : never;

/** Asks the kernel. Rejects with an Error whose message is for a person; a `Refused`, or an `AbortError`. */
export type DriftAsk = <R extends WithoutId<DriftQuestion>>(request: R, options?: AskOptions) => Promise<DriftAnswers[R['kind']]>;

/** What the surroundings can do. What is undefined is not offered on screen. */
export interface DriftHost {
  ask: DriftAsk;
  copy(text: string): Promise<void>;
  /** False when nobody answers any more. */
  canAct: boolean;
  /** Rejects with what is wrong. */
  writeCell?(edit: CodeEdit, run: boolean): Promise<void>;
}

/** Looks at some rows alone; null where that cannot be done. */
export type OnSlice = ((slice: Slice) => void) | null;
