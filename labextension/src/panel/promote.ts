// The promote dialog: stays open until the server has taken the job, or the person gave up.
import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { createElement } from 'react';
import type { Api, Job, NotebookParameter, PromoteCheck, PromotePreview, PromoteRequest } from '../api';
import { check as checkForm, draftOf, fields as formFields, type Draft as FormDraft, type Field } from '../shared';
import { browserZone } from './format';
import { asApiError } from './model';
import { PromoteForm } from './promote_form';

export type Draft = Pick<PromoteRequest, 'notebook' | 'name' | 'schedule' | 'timezone' | 'missed' | 'retries' | 'timeout' | 'gates'>;

const CHECK_AFTER = 250; // ms without typing

/** What the form shows; the dialog's button and the form's fields act on it. */
export class PromoteModel {
  readonly changed = new Signal<this, void>(this);
  draft: Draft;
  check: PromoteCheck | null = null;
  preview: PromotePreview | null = null;
  parameters: Field[] = [];
  values: FormDraft = {};
  fields: Record<string, string> = {};
  message = '';
  hint = '';
  busy = false;
  unreadable = '';
  private timer = 0;
  private asked = 0;

  constructor(
    private readonly api: Api,
    readonly notebook: string
  ) {
    const stem = notebook.split('/').pop()!.replace(/\.ipynb$/i, '');
    this.draft = {
      notebook,
      name: stem.slice(0, 100),
      schedule: '0 6 * * *',
      timezone: browserZone(),
      missed: 'latest',
      retries: 1,
      timeout: '1h',
      gates: {}
    };
  }

  async load(): Promise<void> {
    const ask = ++this.asked;
    try {
      const { notebook, schedule, timezone } = this.draft;
      const [check, preview] = await Promise.all([
        this.check ?? this.api.check({ notebook }),
        this.api.preview({ notebook, schedule: schedule?.trim() || null, timezone: timezone.trim() || 'UTC' })
      ]);
      if (ask !== this.asked) {
        return;
      }
      if (!this.check) {
        this.parameters = formFields(schemaOf(check.parameters));
        this.values = draftOf(this.parameters);
        this.draft.gates = Object.fromEntries(check.gates.map(gate => [gate, 'wait']));
      }
      this.check = check;
      this.preview = preview;
      this.unreadable = '';
    } catch (e) {
      if (ask !== this.asked) {
        return;
      }
      this.unreadable = asApiError(e).message;
    }
    this.changed.emit();
  }

  set<K extends keyof Draft>(name: K, value: Draft[K]): void {
    this.draft = { ...this.draft, [name]: value };
    const { [name]: _, ...rest } = this.fields;
    this.fields = rest;
    this.message = '';
    if (name === 'schedule' || name === 'timezone') {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.load(), CHECK_AFTER);
    }
    this.changed.emit();
  }

  setValues(values: FormDraft): void {
    this.values = values;
    this.fields = Object.fromEntries(Object.entries(this.fields).filter(([name]) => !name.startsWith('parameters.')));
    this.message = '';
    this.changed.emit();
  }

  /** Give the new job, or null with the reasons beside the fields. */
  async submit(): Promise<Job | null> {
    if (this.busy || !this.validate()) {
      this.changed.emit();
      return null;
    }
    this.busy = true;
    this.message = '';
    this.changed.emit();
    try {
      return await this.api.promote({
        ...this.draft,
        parameters: checkForm(this.parameters, this.values).values,
        name: this.draft.name.trim(),
        schedule: this.draft.schedule?.trim() || null,
        timezone: this.draft.timezone.trim() || 'UTC',
        timeout: this.draft.timeout?.trim() || null
      });
    } catch (e) {
      const error = asApiError(e);
      this.fields = place(error.fields, error.message, this.check);
      this.message = Object.keys(this.fields).length ? '' : error.message;
      this.hint = error.hint;
      return null;
    } finally {
      this.busy = false;
      this.changed.emit();
    }
  }

  private validate(): boolean {
    const fields: Record<string, string> = {};
    if (!this.draft.name.trim()) {
      fields.name = 'A job needs a name.';
    }
    for (const name of ['schedule', 'timezone']) {
      const problem = this.preview?.problems[name];
      if (problem) {
        fields[name] = problem;
      }
    }
    if (!Number.isInteger(this.draft.retries) || this.draft.retries < 0 || this.draft.retries > 20) {
      fields.retries = 'A whole number from 0 to 20.';
    }
    for (const [name, text] of Object.entries(checkForm(this.parameters, this.values).problems)) {
      fields[`parameters.${name}`] = text;
    }
    this.fields = fields;
    return Object.keys(fields).length === 0;
  }
}

/** The notebook's parameters as one form; a default that is computed is left to the notebook. */
/** A notebook's parameters as one schema, for a form. */
export function schemaOf(parameters: NotebookParameter[]): Record<string, unknown> {
  const properties = parameters.map(p => {
    const own: Record<string, unknown> = { ...p.schema, title: p.name };
    if (p.computed) {
      own.description = 'Empty: the notebook computes it.';
    } else if (!p.required) {
      own.default = p.default;
    }
    return [p.name, own];
  });
  return { type: 'object', properties: Object.fromEntries(properties), required: parameters.filter(p => p.required).map(p => p.name) };
}

/** Put a message that names a field beside that field. */
function place(fields: Record<string, string>, message: string, check: PromoteCheck | null): Record<string, string> {
  if (Object.keys(fields).length) {
    return fields;
  }
  for (const p of check?.parameters ?? []) {
    if (message.includes(`parameter '${p.name}'`)) {
      return { [`parameters.${p.name}`]: message };
    }
  }
  for (const name of ['schedule', 'timezone', 'timeout', 'retries', 'name']) {
    if (message.includes(`: ${name}: `) || message.startsWith(`${name} `) || message.toLowerCase().startsWith(`${name}:`)) {
      return { [name]: message };
    }
  }
  return {};
}

class Body extends ReactWidget {
  constructor(private readonly model: PromoteModel) {
    super();
    this.addClass('aios-ui');
    this.addClass('aios-promote');
  }
  protected override render(): JSX.Element {
    return createElement(PromoteForm, { model: this.model });
  }
}

/** A Lab dialog whose accept button asks the server before it closes. */
class PromoteDialog extends Dialog<unknown> {
  job: Job | null = null;
  private edited: HTMLElement | null = null; // the control that has, or had last, the focus

  constructor(private readonly model: PromoteModel) {
    super({
      title: 'Promote to a job',
      body: new Body(model),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Promote' })],
      defaultButton: 1,
      hasClose: false, // a click beside the dialog must not throw the form away
      focusNodeSelector: 'input'
    });
    this.addClass('aios-promote-dialog');
  }

  // The focus may be nowhere while the form is being filled in: Escape is heard wherever it is.
  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    document.addEventListener('keydown', this, true);
  }

  protected override onBeforeDetach(msg: Message): void {
    document.removeEventListener('keydown', this, true);
    super.onBeforeDetach(msg);
  }

  // Without a close button the lab's dialog ignores Escape; a person expects it to mean Cancel.
  override handleEvent(event: Event): void {
    if (event.type === 'focus') {
      this.keepFocus(event);
      return;
    }
    if (event.type === 'keydown' && (event as KeyboardEvent).key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      this.reject();
      return;
    }
    if (event.currentTarget !== document || event.type !== 'keydown') {
      super.handleEvent(event); // what the node itself hears; the rest of the page's keys are not ours
    }
  }

  // A notebook that has just opened takes the focus late. The lab's dialog would give it to the first field then, and
  // what is being typed into another one would end up there.
  private keepFocus(event: Event): void {
    const target = event.target;
    if (target instanceof HTMLElement && this.node.contains(target)) {
      this.edited = target;
    } else if (this.edited?.isConnected) {
      event.stopPropagation();
      this.edited.focus();
    } else {
      super.handleEvent(event);
    }
  }

  override resolve(index?: number): void {
    if ((index ?? 1) === 0) {
      super.resolve(0);
      return;
    }
    void this.model.submit().then(job => {
      if (job) {
        this.job = job;
        super.resolve(1);
      } else {
        // After the redraw: only then is the field marked.
        window.setTimeout(() => this.node.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      }
    });
  }
}

/** Ask for everything a job needs; give the job, or null when the person gave up. */
export async function promoteDialog(api: Api, notebook: string): Promise<Job | null> {
  const model = new PromoteModel(api, notebook);
  const dialog = new PromoteDialog(model);
  void model.load();
  await dialog.launch();
  const job = dialog.job;
  dialog.dispose();
  return job;
}
