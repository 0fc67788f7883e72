// What the panel and the status item know: one snapshot, kept fresh by the server's events.
import type { ServiceManager } from '@jupyterlab/services';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';
import { Api, ApiError, type Snapshot } from '../api';
import type { Settings } from '../lab/settings';

const SCHEMA = 'urn:aios-workbench:changed';
const AT_MOST_EVERY = 300; // ms between two snapshots however fast events come
const JUST_NOW = 60_000; // ms in which the outcome of one's own action is no news to oneself

export type TabName = 'runs' | 'waiting' | 'jobs';

export interface Filter {
  search: string;
  status: string;
  workflow: string;
  mine: boolean;
}

const NO_FILTER: Filter = { search: '', status: '', workflow: '', mine: false };

interface Changed {
  schema_id: string;
  workspace: string;
  seq: number;
  runs: string[];
}

export class PanelModel {
  snapshot: Snapshot | null = null;
  error: ApiError | null = null;
  loading = true;
  tab: TabName = 'runs';
  filter: Filter = NO_FILTER;
  limit: number;
  /** Counts up when a run has news; views of one run ask again when theirs does. */
  readonly news = new Map<string, number>();
  /** The item to open and scroll to, once it is in the snapshot. */
  focused: string | null = null;

  /** The tour is wanted again. */
  readonly tour = new Signal<this, void>(this);

  private readonly _changed = new Signal<this, void>(this);
  private readonly poll: Poll;
  private timer: number | null = null;
  private asked = 0;
  private answered = 0;
  private last = 0;
  private skew = 0;
  private pageSize: number;
  private readonly mine = new Map<string, number>();

  constructor(
    readonly api: Api,
    private readonly services: ServiceManager.IManager,
    readonly settings: Settings
  ) {
    this.limit = this.pageSize = settings.get('pageSize');
    services.events.stream.connect(this.onEvent, this);
    services.connectionFailure?.connect(this.onLost, this);
    document.addEventListener('visibilitychange', this.onVisible);
    this.poll = new Poll({
      name: 'aios-workbench:snapshot',
      factory: () => this.refresh(),
      frequency: this.frequency(),
      standby: 'when-hidden'
    });
    settings.changed.connect(this.onSettings, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The server's clock, so that "2 min ago" is right on a laptop whose clock is not. */
  now(): number {
    return Date.now() / 1000 + this.skew;
  }

  get filtered(): boolean {
    const { search, status, workflow, mine } = this.filter;
    return search !== '' || status !== '' || workflow !== '' || mine;
  }

  async refresh(): Promise<void> {
    const ask = ++this.asked;
    this.last = Date.now();
    try {
      const { mine, ...filter } = this.filter;
      const snapshot = await this.api.snapshot({ ...filter, mine: mine ? 'true' : '', limit: this.limit });
      if (ask < this.answered) {
        return; // a later question was answered first
      }
      this.answered = ask;
      this.snapshot = snapshot;
      this.skew = snapshot.now - Date.now() / 1000;
      this.error = null;
    } catch (e) {
      if (ask < this.answered) {
        return;
      }
      this.error = asApiError(e);
    }
    this.loading = false;
    this.emit();
  }

  /** Ask soon; many calls in a short time are one question. */
  soon(): void {
    if (this.timer === null) {
      const wait = Math.max(30, AT_MOST_EVERY - (Date.now() - this.last));
      this.timer = window.setTimeout(() => {
        this.timer = null;
        void this.refresh();
      }, wait);
    }
  }

  follow(path: string): void {
    if (path !== this.api.path) {
      this.api.path = path;
      void this.refresh();
    }
  }

  show(tab: TabName, item: string | null = null): void {
    this.tab = tab;
    if (item !== null) {
      this.focused = item;
      if (tab === 'runs' && this.filtered) {
        this.setFilter(null); // what is asked for must not be hidden
      }
    }
    this.emit();
  }

  setFilter(filter: Partial<Filter> | null): void {
    this.filter = filter ? { ...this.filter, ...filter } : NO_FILTER;
    this.limit = this.settings.get('pageSize');
    this.emit();
    this.soon();
  }

  more(): void {
    this.limit = Math.min(500, this.limit + this.settings.get('pageSize'));
    void this.refresh();
  }

  /** Remember that this person has just set something going here: its end need not be announced to them. */
  caused(id: string): void {
    this.mine.set(id, Date.now());
  }

  justCaused(id: string): boolean {
    return Date.now() - (this.mine.get(id) ?? 0) < JUST_NOW;
  }

  emit(): void {
    this._changed.emit();
  }

  dispose(): void {
    this.services.events.stream.disconnect(this.onEvent, this);
    document.removeEventListener('visibilitychange', this.onVisible);
    this.poll.dispose();
    if (this.timer !== null) {
      window.clearTimeout(this.timer);
    }
    Signal.clearData(this);
  }

  private onEvent(_: unknown, event: unknown): void {
    const changed = event as Changed;
    if (changed.schema_id !== SCHEMA || changed.workspace !== this.snapshot?.workspace.path) {
      return;
    }
    for (const run of changed.runs) {
      this.news.set(run, (this.news.get(run) ?? 0) + 1);
    }
    this.soon();
  }

  /** A hidden page does not ask; back in sight it should not show what was. */
  private readonly onVisible = (): void => {
    if (!document.hidden) {
      this.soon();
    }
  };

  /** The safety net: finds what no event tells, such as a process that died or a lost connection. */
  private frequency(): { interval: number; backoff: boolean; max: number } {
    const interval = this.settings.get('refreshSeconds') * 1000;
    return { interval, backoff: false, max: 2 * interval };
  }

  private onSettings(): void {
    const { interval } = this.frequency();
    if (this.poll.frequency.interval !== interval) {
      this.poll.frequency = this.frequency();
    }
    if (this.settings.get('pageSize') !== this.pageSize) {
      this.pageSize = this.settings.get('pageSize');
      this.limit = this.pageSize;
      this.soon();
    }
    this.emit();
  }

  private onLost(): void {
    this.soon();
  }
}

export function asApiError(e: unknown): ApiError {
  return e instanceof ApiError ? e : new ApiError(e instanceof Error ? e.message : String(e));
}
