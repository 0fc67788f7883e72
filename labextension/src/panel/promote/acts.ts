// What is done to the notebook from the check: fixes, comments that ignore, a run in a clean kernel.
import type { Finding, FindingRef } from '../../api';
import type { Changes } from './book';
import type { PromoteModel } from './model';

const LOOK_AGAIN = 700; // ms

/** Make quick fixes, of all findings that have one when none is named. */
export async function mend(model: PromoteModel, findings: FindingRef[] | null, words: string): Promise<void> {
  await edit(model, words, () => model.api.mend({ ...model.body(), findings }));
}

/** Write into the notebook why a finding is right as it is. */
export async function ignore(model: PromoteModel, finding: Finding, reason: string): Promise<boolean> {
  const { rule, cell, line } = finding;
  return edit(model, `${rule} is ignored`, () => model.api.mend({ ...model.body(), ignore: { rule, cell, line }, reason }));
}

function edit(model: PromoteModel, words: string, ask: () => Promise<Changes>): Promise<boolean> {
  return model.guard('mend', async () => {
    await model.saveFirst();
    const back = await model.book.apply(await ask());
    model.undo = { words, back };
    model.said = words;
    await model.recheck();
  });
}

/** Take the last change back. */
export async function revert(model: PromoteModel): Promise<void> {
  const { undo } = model;
  await model.guard('mend', async () => {
    await undo?.back();
    model.undo = null;
    model.said = 'The notebook is as it was.';
    await model.recheck();
  });
}

export async function startRun(model: PromoteModel): Promise<void> {
  await model.guard('', async () => {
    await model.saveFirst();
    model.run = await model.api.startCleanRun(model.body());
    void follow(model, model.run.run_id);
  });
}

async function follow(model: PromoteModel, id: string): Promise<void> {
  const going = () => model.run?.run_id === id && model.run.status === 'running';
  while (going()) {
    await new Promise(done => window.setTimeout(done, LOOK_AGAIN));
    try {
      const now = await model.api.cleanRun(id);
      if (going()) {
        model.run = now;
      }
    } catch (e) {
      model.run = null;
      model.fail(e);
    }
    model.changed.emit();
  }
}

export async function cancelRun(model: PromoteModel): Promise<void> {
  const id = model.run?.run_id;
  if (id) {
    await model.guard('', async () => {
      model.run = await model.api.cancelCleanRun(id);
    });
  }
}
