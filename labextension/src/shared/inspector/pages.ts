// Where in a run one is: what an address names and a reload brings back.

export const PAGES = ['steps', 'overview', 'timeline', 'events', 'compare', 'history'] as const;
export type PageName = (typeof PAGES)[number];

export const PAGE_TITLES: Record<PageName, string> = {
  steps: 'Steps',
  overview: 'Overview',
  timeline: 'Timeline',
  events: 'Events',
  compare: 'Compare',
  history: 'History'
};

export interface View {
  page: PageName;
  /** The open step. */
  step: string | null;
  /** The run compared with. */
  other: string | null;
  /** The step whose difference is open. */
  compared: string | null;
}

export const FIRST_VIEW: View = { page: 'steps', step: null, other: null, compared: null };

export function isPage(name: unknown): name is PageName {
  return PAGES.includes(name as PageName);
}
