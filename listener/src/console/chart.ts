import { type Html, html } from './html.ts';

/** One column of a chart. */
export interface Column {
  /** From 0. */
  readonly value: number;
  /** What it is of. */
  readonly label: string;
}

const HEIGHT = 60;
const WIDTH = 10;

/**
 * A small chart of columns, each as high as its share of the largest one, drawn on the server. Its figures are those of a
 * table beside it: to who can't see it, the smallest, largest and last are told.
 */
export function columnChart(title: string, columns: readonly Column[]): Html {
  const values = columns.map(({ value }) => value);
  const [smallest, largest] = [Math.min(...values), Math.max(...values)];
  const bars = columns.map(({ value, label }, index) => {
    const height = largest === 0 ? 0 : (value / largest) * HEIGHT;
    return html`<rect x="${index * WIDTH + 1}" y="${(HEIGHT - height).toFixed(1)}" width="${WIDTH - 2}" height="${height.toFixed(1)}"><title>${label}: ${figure(value)}</title></rect>`;
  });
  const summary = `${title}: ${figure(smallest)} to ${figure(largest)}, last ${figure(values.at(-1) ?? 0)}`;
  return html`<figure>
<svg class="chart" viewBox="0 0 ${columns.length * WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${summary}">${bars}</svg>
<figcaption>${summary}</figcaption>
</figure>`;
}

function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
