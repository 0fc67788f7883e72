// The open step on a page of its own, its questions answered by the test: fast enough to try every key.
import { createRoot } from 'react-dom/client';

import type { StepStatus } from '../../../labextension/src/protocol';
import { aborted } from '../../../labextension/src/shared/inspector/abort';
import { StepPane } from '../../../labextension/src/shared/inspector/step/pane';
import { type Ask, type Host, Refused } from '../../../labextension/src/shared/inspector/types';

import '../../../labextension/style/shared/index.css';

interface Given {
  run_id: string;
  step: string;
  status: StepStatus;
}

declare global {
  interface Window {
    answer(request: string): Promise<string>;
    open(given: Given): void;
    did: string[];
    news(): void;
  }
}

const listeners = new Set<() => void>();
let count = 0;
window.did = [];
window.news = () => {
  count += 1;
  listeners.forEach(l => l());
};

const ask = ((request, options) =>
  new Promise((resolve, reject) => {
    options?.signal?.addEventListener('abort', () => {
      window.did.push(`aborted ${request.kind}`);
      reject(aborted());
    });
    window.did.push(`asked ${request.kind}`);
    void window.answer(JSON.stringify({ ...request, id: 1 })).then(text => {
      const reply = JSON.parse(text);
      if (reply.kind === 'error') {
        reject(new Refused(reply.message, reply.type, reply.fields));
      } else {
        resolve(reply.data);
      }
    });
  })) as Ask;

const host: Host = {
  ask,
  news: {
    get: () => count,
    subscribe: listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    }
  },
  now: () => Date.now() / 1000,
  openRun: (run, step) => window.did.push(`opened ${run} ${step ?? ''}`),
  revealCell: async cell => {
    window.did.push(`revealed ${cell.label}`);
    return true;
  },
  copy: async text => {
    window.did.push(`copied ${text}`);
  },
  canAct: true
};

const root = createRoot(document.getElementById('root') as HTMLElement);
window.open = ((given: Given) => {
  root.render(
    <section className="aiosw">
      <StepPane
        host={host}
        runId={given.run_id}
        step={given.step}
        status={given.status}
        onRerun={async () => void window.did.push(`rerun ${given.step}`)}
        onClose={() => window.did.push('closed')}
        onOpenStep={step => window.open({ ...given, step } as never)}
      />
    </section>
  );
}) as never;
