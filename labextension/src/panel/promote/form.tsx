// The dialog: the job's name, the rail of steps, the step, the way on.
import { useEffect, useRef, useState } from 'react';
import { Button, Failure, Skeleton } from '../hooks';
import { Approve } from './approve';
import { Aside } from './aside';
import { CheckStep } from './check';
import { Done } from './done';
import { Field } from './fields';
import type { PromoteModel } from './model';
import { EMBEDDED, STEPS, TITLES, type Step } from './steps';
import { Parameters } from './parameters';
import { Rail } from './rail';
import { When } from './when';
import { Where } from './where';

interface Props {
  model: PromoteModel;
  close: (show: boolean) => void;
}

const BODIES: Record<Step, (props: Props) => JSX.Element> = {
  check: CheckStep, parameters: Parameters, when: When, where: Where, approve: Approve, done: Done
};

export function PromoteForm({ model, close }: Props): JSX.Element {
  const [, redraw] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const onChange = () => redraw(n => n + 1);
    model.changed.connect(onChange);
    onChange();
    return () => {
      model.changed.disconnect(onChange);
    };
  }, [model]);
  useEffect(() => {
    box.current?.focus({ preventScroll: true });
  }, []);
  const { step } = model;
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current !== step) {
      shown.current = step;
      heading.current?.focus(); // read out, and Tab goes on from here
    }
  }, [step]);
  if (model.aside) {
    return <Aside model={model} finding={model.aside} />;
  }
  const Body = BODIES[step];
  return (
    <div className="aios-modal-box" role="dialog" aria-modal="true" aria-labelledby="aios-promote-title" tabIndex={-1} ref={box} data-testid="aios-promote-form" data-step={step} aria-busy={!!model.busy || model.checking}>
      <header className="aios-promote-head">
        <h2 id="aios-promote-title">Promote to a job</h2>
        <span className="aios-mono aios-dim aios-promote-file" title={model.notebook}>
          {model.notebook}
        </span>
        <button type="button" className="aios-icon-button" aria-label="Close" title="Close (Esc); what is filled in is kept" onClick={() => close(false)}>
          ✕
        </button>
      </header>
      <Rail model={model} />
      <div className="aios-promote-body">
        {step !== 'done' && <Name model={model} />}
        <h3 ref={heading} tabIndex={-1} className={step === 'done' ? '' : 'aios-hidden'}>
          {TITLES[step]}
        </h3>
        {model.failure && <Failure error={model.failure} retry={model.check ? undefined : () => void model.open()} />}
        {model.opening ? <Body model={model} close={close} /> : !model.failure && <Skeleton rows={5} label="Reading the notebook" />}
        <p className="aios-hidden" role="status">
          {model.said}
        </p>
      </div>
      {step !== 'done' && <Footer model={model} close={close} />}
    </div>
  );
}

function Name({ model }: { model: PromoteModel }): JSX.Element {
  const name = model.options.name.trim();
  const { opening } = model;
  const known = opening?.jobs.includes(name);
  const own = known && opening?.options?.name === name;
  const help = own
    ? `This notebook is version ${opening.version} of it; promoting makes the next one.`
    : known
      ? 'There is a job of this name: promoting makes its next version.'
      : 'A new job. The notebook is copied as it is now, and runs in a fresh kernel.';
  return (
    <div className="aios-promote-name">
      <Field name="Name" error={model.fields.name ?? (name ? model.preview?.problems.name : undefined)} help={help}>
        {(id, told) => (
          <input id={id} className="aios-input" value={model.options.name} maxLength={100} autoComplete="off" onChange={e => model.set('name', e.currentTarget.value)} {...told} />
        )}
      </Field>
      {model.resumed && (
        <p className="aios-dim">
          What you had filled in before is kept.{' '}
          <button type="button" className="aios-link" onClick={() => void model.startOver()}>
            Start over
          </button>
        </p>
      )}
    </div>
  );
}

function Footer({ model, close }: Props): JSX.Element {
  const at = STEPS.indexOf(model.step);
  const last = model.step === 'approve';
  const blocked = last ? model.blocked() : null;
  const waits = !!model.busy || model.checking || !model.check;
  const files = model.files?.files.filter(f => f.status === 'new' || f.status === 'changed').length ?? 0;
  const words = model.target === EMBEDDED ? 'Promote' : files ? `Write ${files} ${files === 1 ? 'file' : 'files'}` : 'Write again';
  const stuck = model.target !== EMBEDDED && !model.files;
  return (
    <footer className="aios-promote-foot">
      <Button onClick={() => close(false)}>Cancel</Button>
      <span className="aios-promote-busy" role="status">
        {model.busy === 'submit' ? (model.target === EMBEDDED ? 'Promoting…' : 'Writing…') : ''}
        {last && blocked && !waits ? `First put right what is marked in ${TITLES[blocked]}.` : ''}
      </span>
      {at > 0 && <Button onClick={() => void model.go(STEPS[at - 1])}>Back</Button>}
      {last ? (
        <Button kind="primary" disabled={waits || blocked !== null || stuck} onClick={() => void model.submit()}>
          {words}
        </Button>
      ) : (
        <Button kind="primary" onClick={() => void model.go(STEPS[at + 1])} disabled={!model.opening}>
          {`Next: ${TITLES[STEPS[at + 1]]}`}
        </Button>
      )}
    </footer>
  );
}
