// What the panel and the status item know: one snapshot, kept fresh by the server's events.
import type { ServiceManager } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';
import { Api, ApiError, type Snapshot } from '../api';
import { type Changed, News } from '../lab/events';
import type { Settings } from '../lab/settings';

const AT_MOST_EVERY = 300; // ms between two snapshots however fast events come
const RETRY_AT_MOST = 30_000; // ms between two questions while the server cannot answer
const JUST_NOW = 60_000; // ms in which the outcome of one's own action is no news to oneself

export type TabName = 'runs' | 'waiting' | 'jobs';

export interface Filter {
  search: string;
  status: string;
  workflow: string;
  mine: boolean;
}

const NO_FILTER: Filter = { search: '', status: '', workflow: '', mine: false };

export class PanelModel {
  snapshot: Snapshot | null = null;
  error: ApiError | null = null;
  loading = true;
  tab: TabName = 'runs';
  filter: Filter = NO_FILTER;
  limit: number;
  /** Counts up when a run has news; views of one run ask again when theirs does. */
  readonly news: News;
  /** The item to open and scroll to, once it is in the snapshot. */
  focused: string | null = null;

  /** The tour is wanted again. */
  readonly tour = new Signal<this, void>(this);

  private readonly _changed = new Signal<this, void>(this);
  private timer: number | null = null;
  private due = 0;
  private asked = 0;
  private answered = 0;
  private failures = 0;
  private stale = false;
  private last = 0;
  private skew = 0;
  private pageSize: number;
  private readonly mine = new Map<string, number>();

  constructor(
    readonly api: Api,
    services: ServiceManager.IManager,
    readonly settings: Settings
  ) {
    this.limit = this.pageSize = settings.get('pageSize');
    this.news = new News(services.serverSettings);
    this.news.changed.connect(this.onNews, this);
    this.news.connectionChanged.connect(this.onConnection, this);
    document.addEventListener('visibilitychange', this.onVisible);
    void this.refresh();
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
      this.failures = 0;
      this.news.follow(snapshot.workspace.path, this.api.path, snapshot.seq);
      this.skew = snapshot.now - Date.now() / 1000;
      this.error = null;
    } catch (e) {
      if (ask < this.answered) {
        return;
      }
      this.error = asApiError(e);
      this.failures += 1;
      this.soon(Math.min(RETRY_AT_MOST, 1000 * 2 ** this.failures));
    }
    this.loading = false;
    this.emit();
  }

  /** Ask soon; many calls in a short time are one question. A page out of sight asks when it is seen again. */
  soon(delay = 30): void {
    if (document.hidden) {
      this.stale = true;
      return;
    }
    const due = Date.now() + Math.max(delay, AT_MOST_EVERY - (Date.now() - this.last));
    if (this.timer !== null && this.due <= due) {
      return;
    }
    window.clearTimeout(this.timer ?? undefined);
    this.due = due;
    this.timer = window.setTimeout(() => {
      this.timer = null;
      void this.refresh();
    }, due - Date.now());
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
    document.removeEventListener('visibilitychange', this.onVisible);
    this.news.dispose();
    if (this.timer !== null) {
      window.clearTimeout(this.timer);
    }
    Signal.clearData(this);
  }

  private onNews(_: unknown, changed: Changed): void {
    if (this.snapshot === null || changed.workspace === this.snapshot.workspace.path) {
      this.soon();
    }
  }

  private onConnection(_: unknown, connected: boolean): void {
    if (connected && this.error !== null) {
      this.soon();
    }
  }

  private readonly onVisible = (): void => {
    if (!document.hidden && this.stale) {
      this.stale = false;
      this.soon();
    }
  };

  private onSettings(): void {
    if (this.settings.get('pageSize') !== this.pageSize) {
      this.pageSize = this.settings.get('pageSize');
      this.limit = this.pageSize;
      this.soon();
    }
    this.emit();
  }
}

export function asApiError(e: unknown): ApiError {
  return e instanceof ApiError ? e : new ApiError(e instanceof Error ? e.message : String(e));
}
