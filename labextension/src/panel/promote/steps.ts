// The steps of the dialog, and which of them a problem belongs to.
import type { Finding } from '../../api';

export const STEPS = ['check', 'parameters', 'when', 'where', 'approve', 'done'] as const;
export type Step = (typeof STEPS)[number];

export const TITLES: Record<Step, string> = {
  check: 'Check', parameters: 'Parameters', when: 'When', where: 'Where', approve: 'Approve', done: 'Done'
};

/** The target that is no other scheduler. */
export const EMBEDDED = '';

/** The step on which an option is set. */
export function stepOf(field: string): Step | null {
  if (field.startsWith('parameters') || field.startsWith('gates')) {
    return 'parameters';
  }
  if (field === 'name' || field === 'job') {
    return null;
  }
  return ['target', 'folder', 'grain'].includes(field) ? 'where' : 'when';
}

/** The step on which a finding about the job, not the notebook, is put right. */
export function stepFor(finding: Finding): Step | null {
  if (['AIOS401', 'AIOS421', 'AIOS422'].includes(finding.rule)) {
    return 'parameters';
  }
  return /^AIOS41[1-5]$|^AIOS423$/.test(finding.rule) ? 'when' : null;
}
