// Asking the kernel about a tuning from a part of the screen.
import type { TuningAnswers, TuningQuestion } from '../../tuning_protocol';
import { type Asking, useAsking } from '../asking';
import type { TuningHost, WithoutId } from './types';

type Question<K> = Extract<WithoutId<TuningQuestion>, { kind: K }>;

export function useAsk<K extends keyof TuningAnswers>(host: TuningHost, _kind: K): Asking<Question<K>, TuningAnswers[K]> {
  return useAsking<Question<K>, TuningAnswers[K]>(host.ask as never);
}
