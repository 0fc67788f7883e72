// Where one is, where one can go, and where something is to be put right: in words, not by colour alone.
import { plural } from '../format';
import type { PromoteModel } from './model';
import { STEPS, TITLES } from './steps';

export function Rail({ model }: { model: PromoteModel }): JSX.Element {
  const here = STEPS.indexOf(model.step);
  return (
    <nav className="aios-rail" aria-label="Steps">
      <ol>
        {STEPS.map((step, at) => {
          const wrong = step === 'done' || step === 'approve' ? 0 : model.problems(step);
          const over = at < here && !wrong;
          return (
            <li key={step} className={wrong ? 'aios-is-wrong' : over ? 'aios-is-over' : ''}>
              <button
                type="button"
                aria-current={step === model.step ? 'step' : undefined}
                disabled={!model.opening || step === 'done' ? step !== model.step : model.step === 'done'}
                onClick={() => void model.go(step)}
              >
                <span className="aios-rail-mark" aria-hidden="true">
                  {wrong ? '!' : over ? '✓' : at + 1}
                </span>
                {TITLES[step]}
                {wrong > 0 && <small>{plural(wrong, 'problem')}</small>}
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
