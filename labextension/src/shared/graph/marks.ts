// The states' marks as paths in a box of 16 by 16, for the canvas and for exported pictures.
export const MARKS: Record<string, string> = {
  pending: 'M13.4 8A5.4 5.4 0 1 1 2.6 8a5.4 5.4 0 0 1 10.8 0z',
  running: 'M14.6 8A6.6 6.6 0 1 1 1.4 8a6.6 6.6 0 0 1 13.2 0zM6.4 5l4.6 3l-4.6 3z',
  retrying: 'M13.2 8a5.4 5.4 0 1 1-1.7-3.9M13.4 1.9v3.3h-3.3',
  waiting: 'M3.5 2h9M3.5 14h9M4.8 2c0 4.4 6.4 7.6 6.4 12M11.2 2c0 4.4-6.4 7.6-6.4 12',
  succeeded: 'M2.6 8.6l3.7 3.7L13.6 4',
  failed: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  skipped: 'M3 3.6l4.4 4.4L3 12.4M8.6 3.6L13 8l-4.4 4.4',
  cancelled: 'M3.4 3.4h9.2v9.2H3.4z'
};

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif';
