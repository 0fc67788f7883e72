// The empty state: a short tour for those who are new, two lines for those who have seen it.
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { CopyButton } from '../shared';
import { Button, Empty } from './hooks';
import type { PanelModel } from './model';
import type { PanelActions } from './panel';

/** Whether this person has put the tour away; kept by whoever has a place to keep it. */
export interface TourState {
  seen(): Promise<boolean>;
  put(seen: boolean): Promise<void>;
}

export const EXAMPLE = `import aios_workbench as aios

wf = aios.Workflow("hello")

@wf.step
def load():
    return [1, 2, 3]

@wf.step
def total(load):
    return sum(load)

wf.run()`;

interface Stop {
  title: string;
  text: string;
  code?: string;
}

const STOPS: Stop[] = [
  {
    title: 'Functions become steps',
    text: 'Write plain functions in a notebook. A parameter named like another step takes its result: that is the graph.',
    code: EXAMPLE
  },
  {
    title: 'Watch it run, open anything',
    text: 'The graph under the cell is live. Every run is listed here, with the data, log and timing of each step. Rerun from any step; what did not change is not computed again.'
  },
  {
    title: 'Ask a person',
    text: 'A gate stops the run until somebody decides. It shows up under “Waiting”, with the data, a form, and a place for the reason.',
    code: '@wf.gate\ndef review(score):\n    return score[score > 0.8]'
  },
  {
    title: 'Promote it',
    text: '“Promote…” in the toolbar makes the notebook a job: on a schedule, in a fresh kernel, without rewriting anything.'
  }
];

interface Props {
  model: PanelModel;
  exists: boolean;
  actions: PanelActions;
}

export function FirstSteps({ model, exists, actions }: Props): JSX.Element {
  const [seen, setSeen] = useState<boolean | null>(null);
  useEffect(() => {
    let live = true;
    const ask = () => void actions.tour.seen().then(is => live && setSeen(is));
    ask();
    model.tour.connect(ask);
    return () => {
      live = false;
      model.tour.disconnect(ask);
    };
  }, [actions, model]);
  const put = (is: boolean) => {
    setSeen(is);
    void actions.tour.put(is);
  };
  if (seen === null) {
    return <></>; // for an instant: the tour must not flash up for those who have put it away
  }
  if (!seen) {
    return <Tour actions={actions} onClose={() => put(true)} />;
  }
  return (
    <Empty title="No runs yet">
      <p>Plain functions in a notebook cell become steps. Run this in a notebook and watch it here:</p>
      <pre className="aios-code" data-testid="aios-example" tabIndex={0} aria-label="The example">
        {EXAMPLE}
      </pre>
      <div className="aios-actions">
        <Button kind="primary" onClick={actions.tryExample}>
          Try the example
        </Button>
        <CopyButton text={EXAMPLE} what="the example" />
        <Button onClick={actions.newWorkflow}>New workflow notebook</Button>
        <Button onClick={actions.promote}>Promote a notebook…</Button>
      </div>
      <button type="button" className="aios-link" onClick={() => put(false)}>
        Show the tour
      </button>
      {!exists && <p className="aios-dim">The workspace folder is made when the first workflow runs.</p>}
    </Empty>
  );
}

function Tour({ actions, onClose }: { actions: PanelActions; onClose: () => void }): JSX.Element {
  const [at, setAt] = useState(0);
  const title = useRef<HTMLHeadingElement>(null);
  const walked = useRef(false);
  const stop = STOPS[at];
  const last = at === STOPS.length - 1;
  const go = (to: number) => {
    walked.current = true;
    setAt(Math.max(0, Math.min(STOPS.length - 1, to)));
  };
  // A screen reader hears each stop; the first one is not forced on anybody.
  useEffect(() => {
    if (walked.current) {
      title.current?.focus();
    }
  }, [at]);
  const onKey = (e: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 }[e.key];
    if (e.key === 'Escape') {
      e.preventDefault();
      onClose();
    } else if (to !== undefined && !(e.target instanceof HTMLPreElement)) {
      e.preventDefault();
      go(to);
    }
  };
  return (
    <section className="aios-tour" aria-label="First steps" data-testid="aios-tour" onKeyDown={onKey}>
      <p className="aios-tour-lead">No runs yet. Four things to know, one minute:</p>
      <div className="aios-tour-card">
        <p className="aios-sub aios-tour-count">{`${at + 1} of ${STOPS.length}`}</p>
        <h3 ref={title} tabIndex={-1} className="aios-tour-title">
          {stop.title}
        </h3>
        <p>{stop.text}</p>
        {stop.code && (
          <pre className="aios-code" tabIndex={0} aria-label="Code" data-testid="aios-example">
            {stop.code}
          </pre>
        )}
        <div className="aios-actions">
          <Button disabled={at === 0} onClick={() => go(at - 1)}>
            Back
          </Button>
          {last ? <Button onClick={onClose}>Done</Button> : <Button onClick={() => go(at + 1)}>Next</Button>}
          <span className="aios-tour-dots" aria-hidden="true">
            {STOPS.map((_, i) => (
              <span key={i} className={i === at ? 'aios-mod-here' : ''} />
            ))}
          </span>
        </div>
      </div>
      <div className="aios-actions">
        <Button kind="primary" onClick={actions.tryExample}>
          Try the example
        </Button>
        <Button onClick={onClose}>Skip the tour</Button>
      </div>
      <p className="aios-dim aios-sub">The example is a small notebook that triages insurance claims. Open it, then press Run All.</p>
    </section>
  );
}
