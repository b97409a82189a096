/** One curve; both axes are logarithmic, so that every value is above zero. */
export interface Series {
  readonly name: string;
  /** The same number, the same colour, in every panel. */
  readonly color: number;
  readonly line: "solid" | "dashed";
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly series: readonly Series[];
}

export interface Chart {
  readonly title: string;
  readonly foot: string;
  readonly panels: readonly Panel[];
}

/** Okabe and Ito's colours, which colour-blind readers can tell apart. */
const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

const panelWidth = 380;
const plot = { left: 60, top: 60, width: 290, height: 220 };
const height = 370;

/** A row of panels under one title, as a picture that needs nothing else. */
export function chartSvg({ title, foot, panels }: Chart): string {
  const width = panelWidth * panels.length;
  const names = new Map(
    panels.flatMap(({ series }) => series.map(({ name, color }) => [name, color] as const)),
  );
  const legend = [...names].map(([name, color], at) => {
    const x = plot.left + at * 90;
    return (
      `<line x1="${x}" x2="${x + 18}" y1="342" y2="342" stroke="${colorOf(color)}" ` +
      `stroke-width="3"/>${text(name, x + 23, 346)}`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${plot.left}" y="20" font-size="14" font-weight="bold">${escape(title)}</text>`,
    ...panels.map((panel, at) => panelSvg(panel, at * panelWidth)),
    ...legend,
    `<text x="${plot.left}" y="362" fill="#666">${escape(foot)}</text>`,
    "</svg>\n",
  ].join("\n");
}

function panelSvg({ title, x, series }: Panel, offset: number): string {
  const points = series.flatMap((each) => each.points);
  const across = axisOf(points.map((point) => point.x));
  const up = axisOf(points.map((point) => point.y));
  const atX = (value: number): number => plot.left + across.place(value) * plot.width;
  const atY = (value: number): number => plot.top + (1 - up.place(value)) * plot.height;
  const bottom = plot.top + plot.height;
  const right = plot.left + plot.width;
  const grid = [
    ...across.ticks.map(
      (tick) =>
        `<line x1="${px(atX(tick))}" x2="${px(atX(tick))}" y1="${plot.top}" y2="${bottom}" ` +
        `stroke="#ddd"/>${text(tickText(tick), atX(tick), bottom + 14, "middle")}`,
    ),
    ...up.ticks.map(
      (tick) =>
        `<line x1="${plot.left}" x2="${right}" y1="${px(atY(tick))}" y2="${px(atY(tick))}" ` +
        `stroke="#ddd"/>${text(tickText(tick), plot.left - 5, atY(tick) + 4, "end")}`,
    ),
  ];
  const curves = series.map(({ color, line, points: own }) => {
    const path = own.map((point) => `${px(atX(point.x))},${px(atY(point.y))}`);
    const dots = path.map((place) => {
      const [cx, cy] = place.split(",");
      return `<circle cx="${cx}" cy="${cy}" r="2.5" fill="${colorOf(color)}"/>`;
    });
    const dash = line === "dashed" ? ' stroke-dasharray="4 3"' : "";
    return (
      `<polyline points="${path.join(" ")}" fill="none" stroke="${colorOf(color)}" ` +
      `stroke-width="1.5"${dash}/>${dots.join("")}`
    );
  });
  return [
    `<g transform="translate(${offset} 0)">`,
    text(title, plot.left, plot.top - 12),
    ...grid,
    ...curves,
    text(x, plot.left + plot.width / 2, bottom + 30, "middle"),
    "</g>",
  ].join("\n");
}

interface Axis {
  readonly ticks: readonly number[];
  /** Where a value lies, from 0 to 1. */
  place(value: number): number;
}

/** A logarithmic axis from the 1, 2 or 5 below all values to the one above. */
function axisOf(values: readonly number[]): Axis {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const steps: number[] = [];
  const first = Math.floor(Math.log10(least));
  for (let power = first; power <= Math.ceil(Math.log10(most)) + 1; power += 1) {
    for (const digit of [1, 2, 5]) steps.push(Number((digit * 10 ** power).toPrecision(1)));
  }
  const from = steps.findLastIndex((step) => step <= least);
  const to = Math.max(
    from + 1,
    steps.findIndex((step) => step >= most),
  );
  const ticks = steps.slice(from, to + 1);
  const low = Math.log(ticks[0] as number);
  const high = Math.log(ticks.at(-1) as number);
  return { ticks, place: (value) => (Math.log(value) - low) / (high - low) };
}

function tickText(value: number): string {
  return value >= 1000 ? `${value / 1000}k` : String(value);
}

function text(content: string, x: number, y: number, anchor: string = "start"): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escape(content)}</text>`;
}

function px(value: number): string {
  return value.toFixed(1);
}

function colorOf(at: number): string {
  return colors[at % colors.length] as string;
}

function escape(content: string): string {
  return content.replace(/&/gu, "&amp;").replace(/</gu, "&lt;").replace(/>/gu, "&gt;");
}
