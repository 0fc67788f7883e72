// What is new to this person: gates that began to wait, jobs that failed. Each said once, many said together.
import { Notification } from '@jupyterlab/apputils';
import type { Snapshot } from '../api';
import type { PanelModel } from '../panel/model';
import type { Settings } from './settings';

interface Fact {
  /** What makes it one event, for all tabs of this server. */
  key: string;
  text: string;
  /** What to open: an item of the panel's tab. */
  item: string;
}

interface Kind {
  tab: 'waiting' | 'jobs';
  type: 'warning' | 'error';
  action: string;
  many: (n: number) => string;
  facts: (shot: Snapshot) => Fact[];
  on: (settings: Settings) => boolean;
}

const MANY = 3; // from so many on, one notification stands for all
const KEPT = 300; // keys remembered over tabs

const KINDS: Kind[] = [
  {
    tab: 'waiting',
    type: 'warning',
    action: 'Decide',
    many: n => `${n} gates wait for your decision.`,
    facts: shot =>
      shot.gates.map(g => ({
        key: `gate/${g.run_id}/${g.step}/${g.requested_at}`,
        text: `“${g.step}” of ${g.workflow} waits for your decision.`,
        item: `${g.run_id}/${g.step}`
      })),
    on: settings => settings.get('notifyGates')
  },
  {
    tab: 'jobs',
    type: 'error',
    action: 'Show job',
    many: n => `${n} jobs failed.`,
    facts: shot =>
      shot.jobs
        .filter(job => job.last && (job.last.status === 'failed' || job.last.status === 'timeout'))
        .map(job => ({
          key: `job/${job.last!.job_run_id}/${job.last!.attempt}`,
          text: `The job “${job.name}” ${job.last!.status === 'timeout' ? 'ran out of time' : 'failed'}.`,
          item: job.job_id
        })),
    on: settings => settings.get('notifyFailures')
  }
];

export class Toasts {
  /** Per workspace: what was there when it was first looked at, and what was said since. */
  private readonly known = new Map<string, Set<string>>();
  private readonly shown = new Map<string, string>();

  constructor(
    private readonly model: PanelModel,
    private readonly settings: Settings,
    private readonly open: (tab: 'waiting' | 'jobs', item: string | null) => void
  ) {
    model.changed.connect(this.look, this);
  }

  private look(): void {
    const shot = this.model.snapshot;
    if (!shot) {
      return;
    }
    const place = shot.workspace.path;
    const known = this.known.get(place);
    if (!known) {
      this.known.set(place, new Set(KINDS.flatMap(kind => kind.facts(shot).map(fact => fact.key))));
      return;
    }
    this.clear(shot);
    for (const kind of KINDS) {
      const fresh = kind.facts(shot).filter(fact => !known.has(fact.key));
      if (fresh.length && document.hidden) {
        continue; // a tab in sight says it; this one looks again when it is in sight
      }
      fresh.forEach(fact => known.add(fact.key));
      const news = fresh.filter(fact => !this.own(fact, kind, shot));
      if (news.length && kind.on(this.settings)) {
        void this.say(kind, news, place);
      }
    }
  }

  /** A gate that somebody has decided waits no longer: neither should its notification. */
  private clear(shot: Snapshot): void {
    const waiting = new Set(KINDS[0].facts(shot).map(fact => fact.key));
    for (const [key, id] of this.shown) {
      if (key.startsWith('gate/') && !waiting.has(key)) {
        this.shown.delete(key);
        Notification.dismiss(id);
      }
    }
  }

  /** Whether the person at this screen has just set it going: they are looking. */
  private own(fact: Fact, kind: Kind, shot: Snapshot): boolean {
    const job = kind.tab === 'jobs' ? shot.jobs.find(j => j.job_id === fact.item) : undefined;
    return this.model.justCaused(job?.last ? job.last.job_run_id : fact.item.split('/')[0]);
  }

  private async say(kind: Kind, facts: Fact[], place: string): Promise<void> {
    const news = await unsaid(facts, place);
    if (news.length >= MANY) {
      this.emit(kind, kind.many(news.length), null);
    } else {
      news.forEach(fact => this.shown.set(fact.key, this.emit(kind, fact.text, fact.item)));
    }
  }

  private emit(kind: Kind, text: string, item: string | null): string {
    return Notification.emit(text.length > 140 ? `${text.slice(0, 139)}…` : text, kind.type, {
      autoClose: 15_000,
      actions: [{ label: item === null ? 'Show all' : kind.action, displayType: 'accent', callback: () => this.open(kind.tab, item) }]
    });
  }
}

/** Those no other tab of this browser has said yet; marks them as said. */
async function unsaid(facts: Fact[], place: string): Promise<Fact[]> {
  const name = 'aios-workbench:said';
  const take = (): Fact[] => {
    try {
      const said = JSON.parse(localStorage.getItem(name) ?? '[]') as string[];
      const fresh = facts.filter(fact => !said.includes(`${place}|${fact.key}`));
      localStorage.setItem(name, JSON.stringify([...said, ...fresh.map(fact => `${place}|${fact.key}`)].slice(-KEPT)));
      return fresh;
    } catch {
      return facts; // no storage: at least once per tab
    }
  };
  // Without https there are no locks: two tabs may then both be first, which is better than neither.
  return navigator.locks ? ((await navigator.locks.request(name, async () => take())) as Fact[]) : take();
}
