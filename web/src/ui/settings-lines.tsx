// The business's lines: whether missed calls are answered, what waits, and what to paste at the carrier.
import type { JSX } from 'preact';
import { rest } from '../net/rest';
import { readable } from '../phone';
import type { ChannelView, QueueView } from '../types';
import { words } from '../words';
import { dialog } from './screen';
import { Copyable, attempt, setsUp, useLoaded } from './settings-parts';

interface Line {
  readonly line: ChannelView;
  readonly queue: QueueView | null;
}

async function load(): Promise<Line[]> {
  const { rows } = await rest.channels();
  return Promise.all(rows.map(async (line) => ({ line, queue: await rest.queue(line.channel).catch(() => null) })));
}

export function Lines(): JSX.Element {
  const { value, again } = useLoaded(load);
  if (value === null) return <p class="quiet">{words.loading}</p>;
  const add = (): void => {
    setsUp.value = value.length === 0 ? 'business' : 'line';
    dialog.value = 'wizard';
  };
  return (
    <>
      {value.length === 0 && <p class="quiet">{words.noLines}</p>}
      <ul class="lines">
        {value.map(({ line, queue }) => (
          <li key={line.channel}>
            <h3>{readable(line.address)}</h3>
            <p class="quiet">{queue === null ? words.lineUnknown : words.lineHealth(queue.waiting, queue.in_flight)}</p>
            <label class="check">
              <input type="checkbox" checked={line.coverage} onChange={(event) => void attempt(() => rest.setCoverage(line.channel, event.currentTarget.checked)).then(again)} />
              <span>
                {words.coverage}
                <small>{words.coverageHint(line.text_back ?? null)}</small>
              </span>
            </label>
            <Hooks line={line.channel} />
          </li>
        ))}
      </ul>
      <button type="button" class="plain" onClick={add}>
        {value.length === 0 ? words.wizard.begin : words.wizard.another}
      </button>
    </>
  );
}

/** What to paste at the carrier. */
export function Hooks({ line }: { line: string }): JSX.Element {
  const base = `${location.origin}/webhooks/twilio/${line}`;
  return (
    <>
      <Copyable label={words.hooks.sms} text={`${base}/sms#rc=5&rp=all`} />
      <Copyable label={words.hooks.voice} text={`${base}/voice#rc=2&rp=all&tt=6000`} />
      <Copyable label={words.hooks.status} text={`${base}/voice#rc=5&rp=all`} />
    </>
  );
}
