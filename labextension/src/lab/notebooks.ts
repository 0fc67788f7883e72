// Notebooks made for a person: an example that works, an empty workflow, a copy of a lesson.
import type { Contents } from '@jupyterlab/services';
import { PathExt } from '@jupyterlab/coreutils';

interface Cell {
  type: 'code' | 'markdown';
  source: string;
}

const code = (source: string): Cell => ({ type: 'code', source });
const text = (source: string): Cell => ({ type: 'markdown', source });

export const EXAMPLE_CELLS: Cell[] = [
  text(`# Triage of insurance claims

Press **Run → Run All Cells**. The graph below the third cell is live; click on a step to look inside.
Made-up claims, nothing to install, about ten seconds.`),
  code(`import pandas as pd

import aios_workbench as aios
from aios_workbench.samples import claims

wf = aios.Workflow("claims-example", description="Which claims does a person have to look at?")


@wf.step
def load(rows: int = 200) -> pd.DataFrame:
    print("making up", rows, "claims")
    return claims.generate(rows)


@wf.step
def score(load: pd.DataFrame) -> pd.DataFrame:
    severe = load["incident_severity"].isin(["Major Damage", "Total Loss"])
    suspicious = load["insured_hobbies"].isin(["chess", "cross-fit"])
    risk = (0.1 + 0.5 * severe + 0.35 * suspicious).round(2)
    columns = ["policy_number", "incident_severity", "insured_hobbies", "total_claim_amount"]
    return load[columns].assign(risk=risk).sort_values("risk", ascending=False, ignore_index=True)


@wf.gate
def review(score: pd.DataFrame, limit: float = 0.9) -> pd.DataFrame:
    """The claims that are paid only when somebody agrees."""
    return score[score["risk"] >= limit]


@wf.step
def report(score: pd.DataFrame, review: aios.Decision) -> dict:
    held = len(review.data)
    return {"claims": len(score), "looked at": held, "paid": len(score) if review.approved else len(score) - held}`),
  code(`run = wf.run(_gates={"review": "approve"})
run`),
  code('run.result()'),
  text(`## Now you decide

Above, a policy answered for you. Without it the run **waits** for a person: run the next cell (take away the \`#\`),
then open **AIOS → Waiting** on the left, look at the claims, and approve or reject.`),
  code('# asking = wf.run()\n# asking')
];

export const NEW_CELLS: Cell[] = [
  code(`import aios_workbench as aios

wf = aios.Workflow("my-workflow")


@wf.step
def load(rows: int = 10) -> list[int]:
    return list(range(rows))


@wf.step
def total(load: list[int]) -> int:
    return sum(load)


wf`),
  code('run = wf.run()\nrun')
];

/** A notebook of these cells, for the Python kernel, so that nobody is asked which. */
export function notebook(cells: Cell[]): Record<string, unknown> {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3 (ipykernel)', language: 'python' } },
    cells: cells.map(({ type, source }, i) => ({
      id: `aios-${i}`,
      cell_type: type,
      source,
      metadata: {},
      ...(type === 'code' ? { outputs: [], execution_count: null } : {})
    }))
  };
}

/** Save under a name that is free in the folder; nothing of the person's is ever overwritten. Returns the path. */
export async function saveNew(contents: Contents.IManager, folder: string, stem: string, content: unknown): Promise<string> {
  const listed = await contents.get(folder, { content: true });
  const taken = new Set((listed.content as Contents.IModel[]).map(item => item.name));
  let name = `${stem}.ipynb`;
  for (let n = 2; taken.has(name); n++) {
    name = `${stem}-${n}.ipynb`;
  }
  const path = folder ? PathExt.join(folder, name) : name;
  await contents.save(path, { type: 'notebook', format: 'json', content });
  return path;
}
