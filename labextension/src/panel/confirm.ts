// Questions before something is lost.
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { brief } from './format';

/** Ask; the safe answer has the focus. */
export async function sure(title: string, body: string, yes: string, no = 'Cancel'): Promise<boolean> {
  const answer = await showDialog({
    title,
    body: brief(body, 600),
    buttons: [Dialog.cancelButton({ label: no }), Dialog.warnButton({ label: yes })],
    defaultButton: 0
  });
  return answer.button.accept;
}
