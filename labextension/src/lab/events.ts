// What happens in workspaces, as the server pushes it: nothing is asked while nothing happens.
//
// A socket of its own, not the one of JupyterLab's event manager: that one reconnects without telling anybody, and
// what was sent meanwhile would be missed. Each message says after which event number it comes, so a gap is seen.
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import type { News as RunNews } from '../shared/inspector/types';

const SCHEMA = 'urn:aios-workbench:changed';
const FIRST_RETRY = 1000;
const LAST_RETRY = 30_000;
const TICK = 15_000; // looks at this computer's clock only
const ASLEEP = 3 * TICK; // a tick that comes so late: the computer slept, and the socket may be dead
const MOST_RUNS = 100; // the server names no more in a message

/** News of one workspace. `runs` is null when it cannot be said which: all of them may have moved. */
export interface Changed {
  /** The workspace's folder, as a snapshot names it. */
  workspace: string;
  seq: number;
  runs: string[] | null;
}

interface Message {
  schema_id: string;
  workspace: string;
  seq: number;
  after: number;
  runs: string[];
}
interface Missed {
  events: { run_id: string | null }[];
  seq: number;
  more: boolean;
  workspace: string;
}

export class News implements RunNews {
  private readonly counts = new Map<string, number>();
  private all = 0;
  private readonly listeners = new Set<() => void>();
  private readonly _changed = new Signal<this, Changed>(this);
  private readonly _connection = new Signal<this, boolean>(this);
  /** Workspace folder -> the number of the newest event known, and a path that leads the server to it. */
  private readonly known = new Map<string, { path: string; seq: number }>();
  private socket: WebSocket | null = null;
  private open = false;
  private before = false;
  private wait = FIRST_RETRY;
  private retry: number | null = null;
  private lastTick = Date.now();
  private readonly timer: number;
  private disposed = false;

  constructor(private readonly settings: ServerConnection.ISettings) {
    this.timer = window.setInterval(this.onTick, TICK);
    window.addEventListener('online', this.onOnline);
    document.addEventListener('visibilitychange', this.onVisible);
    this.connect();
  }

  /** Something happened in a workspace, now or while nobody could tell. */
  get changed(): ISignal<this, Changed> {
    return this._changed;
  }
  /** True while the server can push. */
  get connected(): boolean {
    return this.open;
  }
  get connectionChanged(): ISignal<this, boolean> {
    return this._connection;
  }

  /** Counts up when this run has news. */
  readonly get = (runId: string): number => (this.counts.get(runId) ?? 0) + this.all;
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** What is shown is true for event `seq` of this workspace; what comes later is told, whatever gets lost. */
  follow(workspace: string, path: string, seq: number): void {
    const before = this.known.get(workspace);
    this.known.set(workspace, { path, seq: before ? Math.max(before.seq, seq) : seq });
  }

  dispose(): void {
    this.disposed = true;
    window.clearInterval(this.timer);
    window.removeEventListener('online', this.onOnline);
    document.removeEventListener('visibilitychange', this.onVisible);
    if (this.retry !== null) {
      window.clearTimeout(this.retry);
    }
    this.drop();
    this.listeners.clear();
    Signal.clearData(this);
  }

  private connect(): void {
    this.drop();
    if (this.retry !== null) {
      window.clearTimeout(this.retry);
      this.retry = null;
    }
    const { appendToken, token, wsUrl, WebSocket: Socket } = this.settings;
    let url = URLExt.join(wsUrl, 'api/events', 'subscribe');
    if (appendToken && token !== '') {
      url += `?token=${encodeURIComponent(token)}`;
    }
    const socket = (this.socket = new Socket(url));
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.wait = FIRST_RETRY;
      this.tellConnection(true);
      // Also the first time: between a snapshot and this socket something may have happened.
      void this.catchUp();
      if (this.before) {
        // A run in a workspace nobody follows may be open in a tab: it is looked at once more.
        this.all += 1;
        Array.from(this.listeners).forEach(listener => listener());
      }
      this.before = true;
    };
    socket.onmessage = message => this.onMessage(message.data);
    socket.onclose = () => {
      this.drop();
      this.tellConnection(false);
      this.later();
      if (!opened) {
        void this.catchUp(); // a reader may not be allowed to listen: then it is asked, ever more slowly
      }
    };
  }

  /** Try again, ever more slowly; not while nobody looks. */
  private later(): void {
    if (this.disposed || this.retry !== null || document.hidden) {
      return;
    }
    // Not all tabs of all users in the same moment after a restart.
    const wait = this.wait * (0.75 + Math.random() / 2);
    this.wait = Math.min(LAST_RETRY, this.wait * 2);
    this.retry = window.setTimeout(() => {
      this.retry = null;
      this.connect();
    }, wait);
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private onMessage(data: unknown): void {
    let message: Message;
    try {
      message = JSON.parse(String(data)) as Message;
    } catch {
      return;
    }
    if (message.schema_id !== SCHEMA) {
      return;
    }
    const known = this.known.get(message.workspace);
    if (known !== undefined && message.after > known.seq) {
      void this.catchUp(); // something came before this that was not told
      return;
    }
    if (known !== undefined) {
      known.seq = Math.max(known.seq, message.seq);
    }
    this.tell({
      workspace: message.workspace,
      seq: message.seq,
      runs: message.runs.length < MOST_RUNS ? message.runs : null
    });
  }

  /** Ask what happened since, once for each workspace in use. */
  private async catchUp(): Promise<void> {
    await Promise.all(
      Array.from(this.known, async ([workspace, { path, seq }]) => {
        const given: Record<string, string> = { after: String(seq), ...(path ? { path } : {}) };
        const url = URLExt.join(this.settings.baseUrl, 'aios', 'events') + URLExt.objectToQueryString(given);
        try {
          const response = await ServerConnection.makeRequest(url, {}, this.settings);
          if (!response.ok) {
            throw new ServerConnection.ResponseError(response);
          }
          const missed = (await response.json()) as Missed;
          const known = this.known.get(workspace);
          if (known === undefined || this.disposed) {
            return;
          }
          if (missed.workspace !== workspace || missed.seq < seq) {
            // Another folder is found at this path now, or it was made anew.
            this.known.delete(workspace);
            this.tell({ workspace, seq: missed.seq, runs: null });
          } else if (missed.seq > seq) {
            known.seq = Math.max(known.seq, missed.seq);
            const runs = missed.events.map(e => e.run_id).filter(id => id !== null);
            this.tell({ workspace, seq: missed.seq, runs: missed.more ? null : Array.from(new Set(runs)) });
          }
        } catch {
          this.tell({ workspace, seq, runs: null }); // whoever shows it asks, and says what is wrong
        }
      })
    );
  }

  private tell(news: Changed): void {
    if (this.disposed) {
      return;
    }
    if (news.runs === null) {
      this.all += 1;
    } else {
      news.runs.forEach(id => this.counts.set(id, (this.counts.get(id) ?? 0) + 1));
    }
    this._changed.emit(news);
    Array.from(this.listeners).forEach(listener => listener());
  }

  private tellConnection(open: boolean): void {
    if (open !== this.open) {
      this.open = open;
      this._connection.emit(open);
    }
  }

  private readonly onTick = (): void => {
    const late = Date.now() - this.lastTick > ASLEEP;
    this.lastTick = Date.now();
    // A hidden page's timers are slowed down by the browser: that is no sleep.
    if (late && !document.hidden) {
      this.connect();
    }
  };
  private readonly onOnline = (): void => {
    if (!document.hidden) {
      this.connect();
    }
  };
  private readonly onVisible = (): void => {
    if (document.hidden) {
      return;
    }
    if (Date.now() - this.lastTick > ASLEEP || this.socket === null) {
      this.lastTick = Date.now();
      this.connect();
    }
  };
}
