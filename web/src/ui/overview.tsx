// The overview: what became of calls, questions and texts, each figure with what it means; live while somebody looks.
import { useSignalEffect } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { head } from '../desk';
import { rest } from '../net/rest';
import { readable } from '../phone';
import { bars, share, type Measure } from '../state/figures';
import { fully, length, percent, whole } from '../time';
import type { FiguresPage, LineFigures } from '../types';
import { words } from '../words';
import { Chart } from './chart';

const RANGES = [24, 168, 720] as const;
type Range = (typeof RANGES)[number];
/** Not more often than this, however much happens. */
const EVERY_MS = 1_500;
/** Also when nothing happens: segments of the last minute pass by themselves. */
const ANYWAY_MS = 15_000;

/** The figures, asked for again when something happened. */
function useFigures(hours: Range, channel: string): { page: FiguresPage | null; failed: boolean } {
  const [page, setPage] = useState<FiguresPage | null>(null);
  const [failed, setFailed] = useState(false);
  const ask = useRef<() => void>(() => undefined);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    const load = (): void => {
      clearTimeout(timer);
      last = Date.now();
      timer = setTimeout(load, ANYWAY_MS);
      if (document.visibilityState !== 'visible') return;
      rest.figures(hours, channel === '' ? null : channel).then(
        (got) => {
          if (over) return;
          setPage(got);
          setFailed(false);
          if (got.behind) timer = again(timer, load, EVERY_MS);
        },
        () => !over && setFailed(true),
      );
    };
    ask.current = () => (timer = again(timer, load, Math.max(0, last + EVERY_MS - Date.now())));
    setPage(null);
    load();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [hours, channel]);
  useSignalEffect(() => {
    if (head.value >= 0) ask.current();
  });
  return { page, failed };
}

function again(timer: ReturnType<typeof setTimeout> | undefined, act: () => void, after: number): ReturnType<typeof setTimeout> {
  clearTimeout(timer);
  return setTimeout(act, after);
}

export function Overview(): JSX.Element {
  const [hours, setHours] = useState<Range>(24);
  const [channel, setChannel] = useState('');
  const [lines, setLines] = useState<readonly LineFigures[]>([]);
  const { page, failed } = useFigures(hours, channel);
  useEffect(() => {
    if (page !== null && channel === '') setLines(page.lines);
  }, [page, channel]);
  return (
    <section class="overview" aria-label={words.overview}>
      <header class="overview-head">
        <h1>{words.overview}</h1>
        <div class="kinds" role="group" aria-label={words.range}>
          {RANGES.map((range) => (
            <button key={range} type="button" aria-pressed={hours === range} onClick={() => setHours(range)}>
              {words.ranges[range]}
            </button>
          ))}
        </div>
        {lines.length > 1 && (
          <select aria-label={words.number} value={channel} onChange={(event) => setChannel(event.currentTarget.value)}>
            <option value="">{words.everyNumber}</option>
            {lines.map((line) => (
              <option key={line.channel} value={line.channel}>
                {nameOf(line)}
              </option>
            ))}
          </select>
        )}
      </header>
      {failed && <p class="quiet">{words.cannotReach}</p>}
      {page === null ? !failed && <p class="quiet">{words.loading}</p> : <Figures page={page} hours={hours} />}
    </section>
  );
}

function Figures({ page, hours }: { page: FiguresPage; hours: Range }): JSX.Element {
  const { total } = page;
  const told = total.delivered + total.failed;
  const half = total.answer_half_s == null ? null : length(total.answer_half_s);
  const open = total.queued - told - total.expired - total.canceled;
  return (
    <>
      {page.behind && <p class="quiet">{words.figuresBehind}</p>}
      <Figure
        name="recovered"
        text={words.recovered}
        value={asPercent(share(total.recovered, total.missed))}
        notes={total.missed === 0 ? [words.nothingCounted] : [words.recovered.of(total.recovered, total.missed)]}
        measure={(hour) => ({ filled: hour.recovered, all: hour.missed })}
        {...{ page, hours }}
      />
      <Figure
        name="response"
        text={words.response}
        value={half}
        notes={total.asked === 0 ? [words.nothingCounted] : [words.response.of(total.answered, total.asked), ...(total.answer_most_s == null ? [] : [words.response.most(length(total.answer_most_s))])]}
        measure={(hour) => ({ filled: hour.answered, all: hour.asked })}
        {...{ page, hours }}
      />
      <Figure
        name="delivery"
        text={words.delivery}
        value={asPercent(share(total.delivered, told))}
        notes={total.queued === 0 ? [words.nothingCounted] : [words.delivery.of(total.delivered, told), words.delivery.other(open, total.expired + total.canceled)]}
        measure={(hour) => ({ filled: hour.delivered, all: hour.delivered + hour.failed })}
        {...{ page, hours }}
      />
      <Figure name="queue" text={words.queue} value={null} notes={[]} measure={(hour) => ({ filled: hour.queue_most, all: hour.queue_most })} how="most" {...{ page, hours }}>
        <Lines lines={page.lines} />
      </Figure>
      {page.since != null && page.since > page.from && <p class="quiet">{words.figuresSince(fully(page.since))}</p>}
    </>
  );
}

function asPercent(part: number | null): string | null {
  return part === null ? null : percent.format(part);
}

interface FigureProps {
  name: string;
  text: { title: string; meaning: string; filled: string; rest: string };
  value: string | null;
  notes: readonly string[];
  measure: Measure;
  how?: 'sum' | 'most';
  page: FiguresPage;
  hours: Range;
  children?: ComponentChildren;
}

function Figure({ name, text, value, notes, measure, how = 'sum', page, hours, children }: FigureProps): JSX.Element {
  return (
    <section class="figure" data-figure={name} aria-labelledby={`figure-${name}`}>
      <div class="figure-said">
        <h2 id={`figure-${name}`}>{text.title}</h2>
        {value !== null && <p class="figure-value">{value}</p>}
        {notes.map((note) => (
          <p key={note} class="figure-note">
            {note}
          </p>
        ))}
      </div>
      <Chart title={text.title} filled={text.filled} rest={text.rest} bars={bars(page, hours, measure, how)} daily={hours > 48} />
      {children}
      <p class="figure-meaning">{text.meaning}</p>
    </section>
  );
}

function nameOf(line: LineFigures): string {
  return line.address == null ? `${line.channel} (${words.queue.removed})` : readable(line.address);
}

function Lines({ lines }: { lines: readonly LineFigures[] }): JSX.Element {
  const { columns } = words.queue;
  return (
    <div class="wide" tabIndex={0} role="group" aria-label={words.queue.title}>
      <table>
        <thead>
          <tr>
            {Object.entries(columns).map(([name, title]) => (
              <th key={name} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.channel}>
              <th scope="row">
                {nameOf(line)}
                {line.live?.paused != null && <small class="bad"> {words.queue.paused}</small>}
              </th>
              <td>{line.live == null ? '–' : whole.format(line.live.waiting)}</td>
              <td>{line.live == null ? '–' : words.queue.paceOf(line.live.segments, line.live.per_s == null ? null : line.live.per_s * 60)}</td>
              <td>{whole.format(line.queue_most)}</td>
              <td>{length(line.wait_most_s)}</td>
              <td>{whole.format(line.segments)}</td>
              <td>{whole.format(line.minute_most)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
