// What the promote dialog knows: the draft of the job, what the server says of it, where the person is.
import { Signal } from '@lumino/signaling';
import type {
  Api, ApiError, CleanRunState, Finding, Job, PromoteCheck, PromoteOpening, PromotePreview, PromoteReview, TargetFiles
} from '../../api';
import { check as checkForm, draftOf, fields as formFields, type Draft as FormDraft, type Field } from '../../shared';
import { asApiError } from '../model';
import type { Book } from './book';
import { modeOf, type Mode } from './cron';
import { body, fresh, numbers, ofJob, type Options } from './options';
import { schemaOf } from './schema_of';
import { EMBEDDED, stepFor, stepOf, STEPS, type Step } from './steps';

const AFTER_TYPING = 250; // ms

/** What is kept of a dialog that was closed before the end. */
export interface Kept {
  options: Options;
  values: FormDraft;
  target: string;
  grain: 'notebook' | 'steps';
  folder: string;
  note: string;
}

export class PromoteModel {
  readonly changed = new Signal<this, void>(this);
  step: Step = 'check';
  options: Options;
  mode: Mode = 'week';
  opening: PromoteOpening | null = null;
  check: PromoteCheck | null = null;
  checking = false;
  preview: PromotePreview | null = null;
  parameters: Field[] = [];
  values: FormDraft = {};
  target = EMBEDDED;
  grain: 'notebook' | 'steps' = 'notebook';
  folder = '';
  files: TargetFiles | null = null;
  review: PromoteReview | null = null;
  note = '';
  rollout: '' | 'canary' | 'shadow' = '';
  run: CleanRunState | null = null;
  undo: { words: string; back: () => Promise<void> } | null = null;
  /** What is wrong, by field; what is wrong with no field of its own. */
  fields: Record<string, string> = {};
  failure: ApiError | null = null;
  said = '';
  busy = '';
  saved = false;
  resumed = false;
  /** The finding whose cell is being looked at while the dialog waits aside. */
  aside: Finding | null = null;
  job: Job | null = null;
  private timer = 0;
  private round: Record<string, number> = {};

  constructor(
    readonly api: Api,
    readonly notebook: string,
    readonly book: Book,
    private readonly kept: Kept | null = null
  ) {
    this.options = fresh(notebook.split('/').pop()!.replace(/\.ipynb$/i, ''));
  }

  get stem(): string {
    return this.notebook.split('/').pop()!;
  }

  get errors(): Finding[] {
    return this.check?.findings.filter(f => f.severity === 'error') ?? [];
  }

  /** What is wrong on a step, as many things. */
  problems(step: Step): number {
    if (step === 'check') {
      return this.errors.filter(f => !stepFor(f)).length;
    }
    const wrong = new Set(Object.keys({ ...this.preview?.problems, ...this.fields }));
    const found = this.errors.filter(f => stepFor(f) === step).length;
    return [...wrong].filter(name => stepOf(name) === step).length || found;
  }

  problem(name: string): string | undefined {
    return this.fields[name] ?? this.preview?.problems[name];
  }

  async open(step: Step = 'check'): Promise<void> {
    await this.guard('', async () => {
      await this.saveFirst();
      this.opening = await this.api.openPromotion(this.notebook);
      if (this.kept) {
        this.resumed = true;
        Object.assign(this, this.kept);
      } else if (this.opening.options) {
        this.options = { ...ofJob(this.opening.options) };
      }
      this.mode = modeOf(this.options.schedule, this.options.every);
      await this.recheck();
      this.ask();
      if (step !== 'check') {
        await this.go(step);
      }
    });
  }

  keep(): Kept {
    const { options, values, target, grain, folder, note } = this;
    return { options, values, target, grain, folder, note };
  }

  /** Forget what was entered before, and what is entered now. */
  async startOver(): Promise<void> {
    this.resumed = false;
    this.options = this.opening?.options ? ofJob(this.opening.options) : fresh(this.stem.replace(/\.ipynb$/i, ''));
    this.mode = modeOf(this.options.schedule, this.options.every);
    this.values = {};
    this.parameters = [];
    this.target = EMBEDDED;
    this.note = '';
    this.check = null;
    this.fields = {};
    await this.guard('', () => this.recheck());
    this.ask();
  }

  async saveFirst(): Promise<void> {
    if (this.book.isDirty()) {
      await this.book.save();
      this.saved = true;
    }
  }

  /** Read the notebook again, with the job's options. */
  async recheck(): Promise<void> {
    const mine = this.next('check');
    this.checking = true;
    this.changed.emit();
    try {
      await this.saveFirst();
      const check = await this.api.check(this.body());
      if (mine !== this.round.check) {
        return;
      }
      this.take(check);
    } finally {
      if (mine === this.round.check) {
        this.checking = false;
        this.changed.emit();
      }
    }
  }

  private take(check: PromoteCheck): void {
    const before = JSON.stringify(this.check?.parameters);
    this.check = check;
    if (before !== JSON.stringify(check.parameters)) {
      const given = (this.opening?.options?.parameters ?? {}) as Record<string, unknown>;
      this.parameters = formFields(schemaOf(check.parameters, given));
      const old = this.values;
      this.values = draftOf(this.parameters);
      for (const f of this.parameters) {
        if (f.name in old) {
          this.values[f.name] = old[f.name];
        }
      }
    }
    for (const gate of check.gates) {
      this.options.gates[gate] ??= 'wait';
    }
  }

  /** What is sent: the options, and the parameters that differ from the notebook's own. */
  body(): Options & { notebook: string; parameters: Record<string, unknown> } {
    const checked = checkForm(this.parameters, this.values).values;
    const own = new Map(this.check?.parameters.map(p => [p.name, p.required || p.computed ? undefined : JSON.stringify(p.default)]));
    const given = Object.entries(checked).filter(([name, value]) => own.get(name) !== JSON.stringify(value));
    return { ...body(this.options), notebook: this.notebook, parameters: Object.fromEntries(given) };
  }

  set<K extends keyof Options>(name: K, value: Options[K]): void {
    this.change({ [name]: value } as Partial<Options>);
  }

  change(values: Partial<Options>): void {
    this.options = { ...this.options, ...values };
    for (const name of Object.keys(values)) {
      delete this.fields[name];
    }
    this.failure = null;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), AFTER_TYPING);
    this.changed.emit();
  }

  setMode(mode: Mode): void {
    this.mode = mode;
    this.changed.emit();
  }

  setValues(values: FormDraft): void {
    this.values = values;
    this.fields = Object.fromEntries(Object.entries(this.fields).filter(([name]) => !name.startsWith('parameters.')));
    this.failure = null;
    this.changed.emit();
  }

  put(values: Partial<Pick<this, 'target' | 'grain' | 'folder' | 'note' | 'rollout'>>): void {
    Object.assign(this, values);
    delete this.fields.folder;
    this.failure = null;
    this.changed.emit();
    if ('target' in values || 'grain' in values || 'folder' in values) {
      this.files = null;
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.look(), 'folder' in values ? 2 * AFTER_TYPING : 0);
    }
  }

  /** Ask when the job would run, and what is wrong with its options. */
  private ask(): void {
    const mine = this.next('preview');
    this.api.preview({ ...this.body(), parameters: {} }).then(
      preview => {
        if (mine === this.round.preview) {
          this.preview = preview;
          this.changed.emit();
        }
      },
      (e: unknown) => mine === this.round.preview && this.fail(e)
    );
  }

  /** Ask what would be written for the target. */
  async look(): Promise<void> {
    if (this.target === EMBEDDED) {
      return;
    }
    const mine = this.next('files');
    this.busy = 'files';
    this.changed.emit();
    try {
      const files = await this.api.targetFiles('files', this.filesBody());
      if (mine === this.round.files) {
        this.files = files;
        this.failure = null;
      }
    } catch (e) {
      if (mine === this.round.files) {
        this.files = null;
        this.fail(e);
      }
    } finally {
      if (mine === this.round.files) {
        this.busy = '';
        this.changed.emit();
      }
    }
  }

  private filesBody() {
    return { ...this.body(), target: this.target, grain: this.grain, folder: this.folder, seen: this.check?.seen ?? null };
  }

  /** Go to a step; what it shows is asked for anew. */
  async go(step: Step): Promise<void> {
    if (this.step === 'done') {
      return;
    }
    this.failure = null;
    this.said = '';
    this.step = step;
    this.changed.emit();
    if (step === 'where') {
      await this.look();
    } else if (step === 'approve') {
      await this.guard('review', async () => {
        await this.recheck();
        this.validate();
        this.review = this.target === EMBEDDED ? await this.api.review(this.body()) : null;
      });
      await this.look();
    }
  }

  /** Mark what can be seen to be wrong without asking. */
  validate(): boolean {
    const wrong: Record<string, string> = this.options.name.trim() ? {} : { name: 'A job needs a name.' };
    Object.assign(wrong, numbers(this.options));
    for (const [name, text] of Object.entries(checkForm(this.parameters, this.values).problems)) {
      wrong[`parameters.${name}`] = text;
    }
    this.fields = wrong;
    return Object.keys({ ...wrong, ...this.preview?.problems }).length === 0;
  }

  /** The step that must be looked at before the job can be promoted. */
  blocked(): Step | null {
    return STEPS.find(step => this.problems(step) > 0) ?? null;
  }

  /** Promote, or write the target's files. */
  async submit(): Promise<boolean> {
    if (this.busy) {
      return false;
    }
    const fine = this.validate();
    if (!fine || this.blocked()) {
      this.changed.emit();
      return false;
    }
    return this.guard('submit', async () => {
      const seen = this.check?.seen ?? null;
      if (this.target === EMBEDDED) {
        const rollout = this.rollout || null;
        this.job = await this.api.promote({ ...this.body(), seen, note: this.note.trim() || null, rollout });
      } else {
        this.files = await this.api.targetFiles('write', this.filesBody());
      }
      this.step = 'done';
    });
  }

  async runNow(): Promise<void> {
    const job = this.job;
    await this.guard('run', async () => {
      await this.api.jobs.trigger(job!.job_id);
      this.said = 'It runs now: the jobs panel shows how far it is.';
    });
  }

  private next(what: string): number {
    return (this.round[what] = (this.round[what] ?? 0) + 1);
  }

  /** Do something; its failure is shown, and it is said that it is going on. */
  async guard(what: string, work: () => Promise<unknown>): Promise<boolean> {
    this.busy = what;
    this.failure = null;
    this.changed.emit();
    try {
      await work();
      return true;
    } catch (e) {
      this.fail(e);
      return false;
    } finally {
      this.busy = '';
      this.changed.emit();
    }
  }

  fail(e: unknown): void {
    const error = asApiError(e);
    this.fields = { ...this.fields, ...error.fields };
    this.failure = Object.keys(error.fields).length ? null : error;
    this.changed.emit();
  }
}
