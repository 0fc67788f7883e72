// The settings of schema/plugin.json, typed; usable before they are read, and where there is no registry.
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ISignal, Signal } from '@lumino/signaling';

export interface Values {
  notifyGates: boolean;
  notifyFailures: boolean;
  groupRuns: 'none' | 'workflow' | 'day';
  pageSize: number;
  dataRows: number;
  openRunsIn: 'tab' | 'right';
  confirmCancel: boolean;
  motion: 'system' | 'none';
}

/** The same as in schema/plugin.json; tests/browser/test_lab_settings.py compares both. */
export const DEFAULTS: Values = {
  notifyGates: true,
  notifyFailures: true,
  groupRuns: 'none',
  pageSize: 50,
  dataRows: 20,
  openRunsIn: 'tab',
  confirmCancel: true,
  motion: 'system'
};

/** On the body while nothing of ours may move; style/base.css obeys it. */
const STILL = 'aios-mod-still';

export class Settings {
  private readonly _changed = new Signal<this, void>(this);
  private values: Values = DEFAULTS;
  private registered: ISettingRegistry.ISettings | null = null;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get<K extends keyof Values>(name: K): Values[K] {
    return this.values[name];
  }

  /** Keep a choice made in the panel itself. */
  async set<K extends keyof Values>(name: K, value: Values[K]): Promise<void> {
    this.take({ ...this.values, [name]: value });
    await this.registered?.set(name, value as never);
  }

  /** Read the person's settings, and follow them from now on. */
  async follow(registry: ISettingRegistry, plugin: string): Promise<void> {
    const settings = await registry.load(plugin);
    this.registered = settings;
    const read = () => this.take({ ...DEFAULTS, ...(settings.composite as Partial<Values>) });
    settings.changed.connect(read);
    read();
  }

  private take(values: Values): void {
    this.values = values;
    document.body.classList.toggle(STILL, values.motion === 'none');
    this._changed.emit();
  }
}
