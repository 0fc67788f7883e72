// The toolbar's icons, in a box of 16 by 16.
const PATHS = {
  search: 'M7 2.2a4.8 4.8 0 1 1 0 9.6a4.8 4.8 0 0 1 0-9.6zM10.6 10.6l3.4 3.4',
  previous: 'M4 10l4-4l4 4',
  next: 'M4 6l4 4l4-4',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  list: 'M2.5 4h1M6 4h7.5M2.5 8h1M6 8h7.5M2.5 12h1M6 12h7.5',
  graph: 'M2 6.2h4v3.6H2zM10 2h4v3.6h-4zM10 10.4h4V14h-4zM6 8h2M8 8V3.8h2M8 8v4.2h2',
  critical: 'M1.8 8h3M6.6 8h3M11.4 8h2.8M11.6 5l3 3l-3 3',
  more: 'M3 8h.01M8 8h.01M13 8h.01'
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg className="aiosw-mark" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth={name === 'more' ? 2.6 : 1.6}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
