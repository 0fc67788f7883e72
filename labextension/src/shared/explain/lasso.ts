// Which points lie inside what was drawn around them.

export type Corner = [number, number];

/** Whether a point lies within a closed line: crossings of a ray to the right are counted. */
export function inside([x, y]: Corner, line: readonly Corner[]): boolean {
  let within = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [[ax, ay], [bx, by]] = [line[i], line[j]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) {
      within = !within;
    }
  }
  return within;
}

export function path(line: readonly Corner[]): string {
  return line.length < 2 ? '' : `M${line.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}z`;
}
