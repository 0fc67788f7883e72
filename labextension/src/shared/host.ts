// What every screen of an analyst (a tuning, a drift report, an explanation) is given by what is around it.
import type { CodeEdit } from '../protocol';
import { type Asking, useAsking } from './asking';
import type { AskOptions } from './inspector/types';

/** A question as a screen puts it: its number is the client's. */
export type Unnumbered<Q> = Q extends { id: number } ? Omit<Q, 'id'> : never;

/** Asks the kernel. Rejects with an Error whose message is for a person; a `Refused`, or an `AbortError`. */
export type Asks<Q extends { kind: string }, A extends Record<Q['kind'], unknown>> = <R extends Unnumbered<Q> & { kind: Q['kind'] }>(request: R, options?: AskOptions) => Promise<A[R['kind']]>;

/** What the surroundings can do. What is undefined is not offered on screen. */
export interface Host<A> {
  ask: A;
  copy(text: string): Promise<void>;
  /** False when nobody answers any more. */
  canAct: boolean;
  /** Rejects with what is wrong. Undefined where there is no notebook to write to. */
  writeCell?(edit: CodeEdit, run: boolean): Promise<void>;
}

type Of<Q, K> = Extract<Unnumbered<Q>, { kind: K }>;

/** `useAsk` for one protocol: asking one kind of question from a part of a screen. */
export function asker<Q extends { kind: string }, A extends Record<Q['kind'], unknown>>(): <K extends Q['kind']>(host: Host<Asks<Q, A>>, kind: K) => Asking<Of<Q, K>, A[K]> {
  return function useAsk<K extends Q['kind']>(host: Host<Asks<Q, A>>, _kind: K): Asking<Of<Q, K>, A[K]> {
    return useAsking<Of<Q, K>, A[K]>(host.ask as never);
  };
}
