// Layout beside the main thread. The worker is made from the layout's own text: a widget is one file, with no address
// a worker could be loaded from. Where a page refuses workers (CSP), the work is done in slices while nothing else is.
import { type Arranged, arrange, type Plan } from './arrange';

const SLICE_MS = 6;
const SOURCE = `
const arrange = ${arrange.toString()};
onmessage = e => {
  const work = arrange(e.data.plan);
  let step = work.next();
  while (!step.done) step = work.next();
  postMessage({ id: e.data.id, arranged: step.value });
};`;

interface Job {
  plan: Plan;
  done: (arranged: Arranged) => void;
}

const jobs = new Map<number, Job>();
let count = 0;
let worker: Worker | null = null;
let refused = false;

/** How the last large layout was made; for tests. */
export let layoutBy: 'worker' | 'slices' | '' = '';

/** Lays out without blocking the page; returns a function that takes the order back. */
export function arrangeLater(plan: Plan, done: (arranged: Arranged) => void): () => void {
  const id = ++count;
  jobs.set(id, { plan, done });
  const able = start();
  if (able) {
    able.postMessage({ id, plan });
  } else {
    inSlices(id);
  }
  return () => jobs.delete(id);
}

function start(): Worker | null {
  if (worker || refused) {
    return worker;
  }
  try {
    const url = URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' }));
    worker = new Worker(url);
    worker.onmessage = (e: MessageEvent<{ id: number; arranged: Arranged }>) => finish(e.data.id, e.data.arranged, 'worker');
    worker.onerror = e => {
      e.preventDefault();
      giveUp();
    };
  } catch {
    giveUp();
  }
  return worker;
}

function giveUp(): void {
  refused = true;
  worker?.terminate();
  worker = null;
  [...jobs.keys()].forEach(inSlices);
}

function finish(id: number, arranged: Arranged, by: typeof layoutBy): void {
  const job = jobs.get(id);
  jobs.delete(id);
  layoutBy = by;
  job?.done(arranged);
}

function inSlices(id: number): void {
  const job = jobs.get(id);
  if (!job) {
    return;
  }
  const work = arrange(job.plan);
  const slice = (): void => {
    if (!jobs.has(id)) {
      return;
    }
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      const step = work.next();
      if (step.done) {
        finish(id, step.value, 'slices');
        return;
      }
    }
    setTimeout(slice, 0);
  };
  setTimeout(slice, 0);
}
