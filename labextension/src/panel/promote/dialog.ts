// The dialog as a window over the lab. It can step aside while a cell is put right, and is not the lab's own: that one
// would keep every other question of the lab waiting, such as whether a file that changed on disk may be overwritten.
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { createElement } from 'react';
import type { Api, Job } from '../../api';
import { cancelRun } from './acts';
import type { Book } from './book';
import { PromoteForm } from './form';
import { PromoteModel, type Kept } from './model';
import { type Step } from './steps';

/** Dialogs that were closed before the end, by notebook: opened again they go on. */
const unfinished = new Map<string, Kept>();

export interface Ending {
  job: Job | null;
  /** The person wants to see the job. */
  show: boolean;
}

export class PromoteDialog extends ReactWidget {
  private static open: PromoteDialog | null = null;
  private readonly model: PromoteModel;
  private edited: HTMLElement | null = null; // the control that has, or had last, the focus
  private readonly before = document.activeElement as HTMLElement | null;
  private finish: (ending: Ending) => void = () => undefined;
  readonly ended: Promise<Ending>;

  /** Show the dialog for a notebook; one that stands open is brought back, for there is one at a time. */
  static async show(api: Api, notebook: string, book: Book, step: Step = 'check'): Promise<Ending> {
    const there = PromoteDialog.open;
    if (there) {
      there.model.aside = null;
      there.model.changed.emit();
      return there.ended;
    }
    const dialog = new PromoteDialog(api, notebook, book);
    PromoteDialog.open = dialog;
    Widget.attach(dialog, document.body);
    void dialog.model.open(step);
    return dialog.ended;
  }

  private constructor(api: Api, notebook: string, book: Book) {
    super();
    this.model = new PromoteModel(api, notebook, book, unfinished.get(notebook) ?? null);
    this.ended = new Promise(done => {
      this.finish = done;
    });
    this.addClass('aios-ui');
    this.addClass('aios-modal');
    this.node.setAttribute('data-lm-suppress-shortcuts', 'true');
    this.model.changed.connect(() => this.toggleClass('aios-mod-aside', this.model.aside !== null));
  }

  protected override render(): JSX.Element {
    return createElement(PromoteForm, { model: this.model, close: show => this.end(show) });
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    document.addEventListener('keydown', this, true);
    document.addEventListener('focus', this, true);
  }

  protected override onBeforeDetach(msg: Message): void {
    document.removeEventListener('keydown', this, true);
    document.removeEventListener('focus', this, true);
    super.onBeforeDetach(msg);
  }

  handleEvent(event: Event): void {
    if (this.model.aside !== null || otherQuestion()) {
      return; // the lab has the keys
    }
    if (event.type === 'focus') {
      this.keepFocus(event);
    } else if (event instanceof KeyboardEvent) {
      this.key(event);
    }
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      this.end(false);
    } else if (event.key === 'Tab') {
      const all = Array.from(this.node.querySelectorAll<HTMLElement>(FOCUSABLE)).filter(e => e.offsetParent !== null);
      const at = all.indexOf(document.activeElement as HTMLElement);
      const edge = event.shiftKey ? 0 : all.length - 1;
      if (all.length && (at === edge || at < 0)) {
        event.preventDefault();
        all[event.shiftKey ? all.length - 1 : 0].focus();
      }
    }
  }

  // A notebook that has just opened takes the focus late; what is being typed would end up there.
  private keepFocus(event: Event): void {
    const target = event.target;
    if (target instanceof HTMLElement && this.node.contains(target)) {
      this.edited = target;
      return;
    }
    event.stopPropagation();
    (this.edited?.isConnected ? this.edited : this.node.querySelector<HTMLElement>('[role=dialog]'))?.focus();
  }

  private end(show: boolean): void {
    const { model } = this;
    if (model.run?.status === 'running') {
      void cancelRun(model);
    }
    if (model.step === 'done') {
      unfinished.delete(model.notebook);
    } else if (model.check) {
      unfinished.set(model.notebook, model.keep());
    }
    PromoteDialog.open = null;
    this.dispose();
    this.before?.isConnected && this.before.focus({ preventScroll: true });
    this.finish({ job: model.job, show });
  }
}

const FOCUSABLE = 'button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, a[href], [tabindex="0"]';

/** A dialog of the lab lies above ours: it has the focus. */
function otherQuestion(): boolean {
  return document.querySelector('.jp-Dialog') !== null;
}
