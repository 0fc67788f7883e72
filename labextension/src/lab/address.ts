// A run's place as an address, so that it can be sent to somebody, kept as a bookmark, and survives a reload.
import { FIRST_VIEW, isPage, type View } from '../shared/inspector/pages';

/** What a tab shows: a run, or a workflow's history. `path` decides the workspace. */
export interface Place {
  runId: string | null;
  workflow: string | null;
  path: string;
  view: View;
}

const NAMES = { run: 'aios-run', history: 'aios-history', page: 'aios-page', step: 'aios-step', other: 'aios-with', compared: 'aios-change', path: 'aios-path' };

export const PATTERN = /[?&]aios-(run|history)=[^&]/;

export function isPlace(search: string): boolean {
  return PATTERN.test(search);
}

export function queryOf(place: Place): string {
  const { view } = place;
  const query = new URLSearchParams();
  const put = (name: string, value: string | null): void => {
    if (value) {
      query.set(name, value);
    }
  };
  put(NAMES.run, place.runId);
  put(NAMES.history, place.runId === null ? place.workflow : null);
  put(NAMES.page, place.runId !== null && view.page !== 'steps' ? view.page : null);
  put(NAMES.step, view.step);
  put(NAMES.other, view.page === 'compare' ? view.other : null);
  put(NAMES.compared, view.page === 'compare' ? view.compared : null);
  put(NAMES.path, place.path);
  return `?${query.toString()}`;
}

export function placeOf(search: string): Place | null {
  const query = new URLSearchParams(search);
  const [runId, workflow] = [query.get(NAMES.run) || null, query.get(NAMES.history) || null];
  if (runId === null && workflow === null) {
    return null;
  }
  const page = query.get(NAMES.page);
  return {
    runId,
    workflow,
    path: query.get(NAMES.path) ?? '',
    view: {
      page: isPage(page) ? page : FIRST_VIEW.page,
      step: query.get(NAMES.step) || null,
      other: query.get(NAMES.other) || null,
      compared: query.get(NAMES.compared) || null
    }
  };
}

/** The lab's own address, without the document it shows: `<base>/lab`, or that of a named layout. */
export function labPath(pathname: string): string {
  return pathname.replace(/\/tree(\/.*)?$/, '').replace(/\/$/, '');
}

/** The whole address of a place. */
export function linkTo(place: Place): string {
  return `${window.location.origin}${labPath(window.location.pathname)}${queryOf(place)}`;
}
