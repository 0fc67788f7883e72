// News of runs, as the panel's model hears them.
import type { PanelModel } from '../panel/model';
import type { News } from '../shared/inspector/types';

export function newsOf(model: PanelModel): News {
  return {
    get: runId => model.news.get(runId) ?? 0,
    subscribe: listener => {
      model.changed.connect(listener);
      return () => void model.changed.disconnect(listener);
    }
  };
}
