// Bars over time, as plain SVG; and the same as a table, for whoever does not see them.
import type { JSX } from 'preact';
import type { Bar } from '../state/figures';
import { dayShort, time, whole } from '../time';
import { words } from '../words';

const HEIGHT = 72;
const STEP = 12;
const GAP = 3;

interface ChartProps {
  title: string;
  /** What the coloured part is, and what the rest; empty: there is no rest. */
  filled: string;
  rest: string;
  bars: readonly Bar[];
  daily: boolean;
}

export function Chart({ title, filled, rest, bars, daily }: ChartProps): JSX.Element {
  const most = Math.max(1, ...bars.map((bar) => bar.all));
  const name = (bar: Bar): string => (daily ? dayShort(bar.at) : time(bar.at));
  const [first, last] = [bars[0], bars.at(-1)];
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${bars.length * STEP} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={title}>
        {bars.map((bar, at) => (
          <g key={bar.at}>
            <title>{`${name(bar)}: ${whole.format(bar.filled)} ${filled}${rest === '' ? '' : `, ${whole.format(bar.all - bar.filled)} ${rest}`}`}</title>
            <rect class="chart-place" x={at * STEP} y={0} width={STEP} height={HEIGHT} />
            <Part at={at} from={0} to={bar.filled / most} kind="chart-filled" />
            <Part at={at} from={bar.filled / most} to={bar.all / most} kind="chart-rest" />
          </g>
        ))}
      </svg>
      <p class="chart-axis" aria-hidden="true">
        <span>{first === undefined ? '' : name(first)}</span>
        <span class="chart-key">
          <i class="chart-filled" /> {filled}
          {rest !== '' && (
            <>
              <i class="chart-rest" /> {rest}
            </>
          )}
        </span>
        <span>{last === undefined ? '' : name(last)}</span>
      </p>
      <details>
        <summary>{words.asTable}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.time}</th>
              <th scope="col">{filled}</th>
              {rest !== '' && <th scope="col">{rest}</th>}
            </tr>
          </thead>
          <tbody>
            {bars
              .filter((bar) => bar.all > 0)
              .map((bar) => (
                <tr key={bar.at}>
                  <th scope="row">{name(bar)}</th>
                  <td>{whole.format(bar.filled)}</td>
                  {rest !== '' && <td>{whole.format(bar.all - bar.filled)}</td>}
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

function Part({ at, from, to, kind }: { at: number; from: number; to: number; kind: string }): JSX.Element | null {
  if (to <= from) return null;
  // Whatever is there is seen.
  const height = Math.max(2, (to - from) * HEIGHT);
  return <rect class={kind} x={at * STEP + GAP / 2} y={HEIGHT - from * HEIGHT - height} width={STEP - GAP} height={height} />;
}
