// Numbers and times as people read them.

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return '';
  }
  const s = Math.max(0, seconds);
  if (s < 1) {
    return `${Math.round(s * 1000)} ms`;
  }
  if (s < 60) {
    return `${s.toFixed(1)} s`;
  }
  const whole = Math.round(s);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return `${minutes} min ${whole % 60} s`;
  }
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** A duration that is still growing: whole seconds, so that the text does not flicker. */
export function ticking(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  return s < 60 ? `${s} s` : duration(s);
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

export function count(n: number): string {
  return n.toLocaleString('en');
}

export function clock(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toLocaleTimeString();
}

export function moment(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toLocaleString();
}

/** A figure: enough digits to tell values apart, no more. */
export function figure(value: number): string {
  if (Number.isInteger(value)) {
    return count(value);
  }
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e9)) {
    return value.toPrecision(3);
  }
  return value.toLocaleString('en', { maximumFractionDigits: size < 1 ? 4 : size < 100 ? 2 : 1 });
}

/** Anything a cell of a table may hold, as one line of text. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) {
    return '–';
  }
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

export function number(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : digits(value);
}

/** A column may have no name, or one that cannot be seen. */
export function named(name: string): string {
  return name.trim() === '' ? `(no name${name === '' ? '' : `: ${JSON.stringify(name)}`})` : name;
}
