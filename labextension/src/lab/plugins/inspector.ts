// Runs in the main area: commands, addresses, and the tabs that come back after a reload.
import { ILayoutRestorer, IRouter, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { Api } from '../../api';
import { copy } from '../../shared/copy';
import { FIRST_VIEW, isPage, type View } from '../../shared/inspector/pages';
import { request } from '../../shared/inspector/do';
import type { Host } from '../../shared/inspector/types';
import { isPlace, labPath, PATTERN, type Place, placeOf, queryOf } from '../address';
import { askServer } from '../ask';
import { listen } from '../bridge';
import { InspectorTab, TabModel, tabId } from '../inspector';
import { addToMain } from '../place';
import { CommandIDs, IAios } from '../tokens';

type Args = ReadonlyPartialJSONObject;

const ROUTE = 'aios:route';

export const inspectorPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aios-workbench:inspector',
  description: 'Runs, their steps and their history in the main area, each with an address of its own.',
  autoStart: true,
  requires: [IAios],
  optional: [IRouter, ILayoutRestorer],
  activate: (app: JupyterFrontEnd, { model, settings }: IAios, router: IRouter | null, restorer: ILayoutRestorer | null) => {
    const { commands, shell, serviceManager } = app;
    const tabs = new WidgetTracker<InspectorTab>({ namespace: 'aios-workbench-inspector' });

    /** A tab keeps asking about the workspace it was opened in, whatever document is in focus. */
    const hostOf = (place: Place): Host => ({
      ask: askServer(serviceManager.serverSettings, () => place.path, place.runId),
      news: model.news,
      now: () => model.now(),
      openRun: (runId, step, view) => open(at(place.path, { runId, step, page: view })),
      openHistory: workflow => open(at(place.path, { workflow })),
      openCompare: (runId, other) => open(at(place.path, { runId, page: 'compare', other })),
      revealCell: cell => request(document.body, { action: 'reveal_cell', cell }) as Promise<boolean | 'changed'>,
      copy,
      canAct: true
    });

    /** News of the tab's workspace, also when no document of it is in focus. Without them the tab shows what it asked for. */
    const follow = (path: string): void => {
      if (path !== model.api.path) {
        const api = new Api(serviceManager.serverSettings);
        api.path = path;
        api.snapshot({ limit: 1 }).then(s => model.news.follow(s.workspace.path, path, s.seq), () => undefined);
      }
    };

    const open = (place: Place, inFront = true): InspectorTab => {
      const found = tabs.find(t => t.id === tabId(place));
      if (found) {
        if (place.view !== FIRST_VIEW) {
          found.model.show(place.view);
        }
        shell.activateById(found.id);
        return found;
      }
      follow(place.path);
      const tab = new InspectorTab(new TabModel(place, hostOf(place)));
      tab.model.changed.connect(() => {
        void tabs.save(tab);
        showAddress();
      });
      void tabs.add(tab);
      if (inFront && !(shell.currentWidget instanceof InspectorTab)) {
        addToMain(shell, tab, settings);
      } else {
        shell.add(tab, 'main', { mode: 'tab-after', activate: inFront }); // beside the one it was opened from
      }
      return tab;
    };

    commands.addCommand(CommandIDs.openRun, {
      label: 'Open Run',
      isVisible: () => false, // called with a run, by whoever shows one
      // A layout that comes back says by `query` what was there; which tab is in front it knows itself.
      execute: args => open(at(pathOf(args, model.api.path), { ...args, runId: args.runId ?? args.run_id }), typeof args.query !== 'string')
    });
    commands.addCommand(CommandIDs.openStep, {
      label: 'Open Step',
      isVisible: () => false,
      execute: args => commands.execute(CommandIDs.openRun, args)
    });
    commands.addCommand(CommandIDs.openHistory, {
      label: 'Open History',
      isVisible: () => false,
      execute: args => open(at(pathOf(args, model.api.path), { workflow: args.workflow }))
    });
    listen({
      open_run: deed => void open(at(model.api.path, { runId: deed.run_id, step: deed.step, page: deed.view, other: deed.other })),
      open_history: deed => void open(at(model.api.path, { workflow: deed.workflow }))
    });

    void restorer?.restore(tabs, {
      command: CommandIDs.openRun,
      args: tab => ({ query: queryOf(tab.model.place) }),
      name: tab => tab.id
    });

    // The address bar names the tab in front. Replaced, not pushed: "back" leaves the lab, as it does elsewhere in it.
    const showAddress = (): void => {
      const { pathname, search } = window.location;
      const tab = shell.currentWidget;
      if (tab instanceof InspectorTab) {
        const url = labPath(pathname) + queryOf(tab.model.place);
        if (url !== pathname + search) {
          window.history.replaceState(window.history.state, '', url);
        }
      } else if (isPlace(search)) {
        window.history.replaceState(window.history.state, '', pathname);
      }
    };
    if (router) {
      commands.addCommand(ROUTE, {
        isVisible: () => false,
        execute: args => {
          const place = placeOf(String(args.search ?? ''));
          if (place) {
            // After the layout came back: the tab may be part of it.
            void app.restored.then(() => {
              open(place);
              shell.currentChanged?.connect(showAddress);
              showAddress();
            });
          }
        }
      });
      router.register({ command: ROUTE, pattern: PATTERN, rank: 40 });
      void app.restored.then(() => {
        if (!isPlace(window.location.search)) {
          shell.currentChanged?.connect(showAddress);
          showAddress();
        }
      });
    }
  }
};

function pathOf(args: Args, focus: string): string {
  return typeof args.path === 'string' ? args.path : focus;
}

/** A place from loose arguments: of a command, a link, a layout that is restored. */
function at(path: string, args: Args | { [name: string]: unknown }): Place {
  const kept = typeof args.query === 'string' ? placeOf(args.query) : null;
  if (kept) {
    return kept;
  }
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  const change: Partial<View> = {
    ...(isPage(args.page) ? { page: args.page } : {}),
    ...(text(args.step) ? { step: text(args.step) } : {}),
    ...(text(args.other) ? { other: text(args.other) } : {})
  };
  const view = Object.keys(change).length > 0 ? { ...FIRST_VIEW, ...change } : FIRST_VIEW;
  return { runId: text(args.runId), workflow: text(args.workflow), path, view };
}
