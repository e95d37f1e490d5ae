// What was said about consent, and by whom: from the conversation's own events, newest first.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { me } from '../desk';
import { rest } from '../net/rest';
import { author } from '../state/timeline';
import { fully, short } from '../time';
import { isOfConversation, type ConversationEvent, type Row } from '../types';
import { words } from '../words';

const KINDS = new Set<string>(['consent.changed', 'consent.recorded', 'consent.questioned']);
const STRETCH = 200;

interface Found {
  readonly events: readonly ConversationEvent[];
  /** Where the stretch before begins; null: there is none. */
  readonly before: number | null;
}

async function look(id: string, before: number | null): Promise<Found> {
  const page = await rest.events(id, { limit: STRETCH, ...(before !== null && { before }) });
  const events = page.events.filter(isOfConversation).filter((event) => KINDS.has(event.type));
  return { events: events.reverse(), before: page.before ?? null };
}

/** Asked for only by whoever opens it. */
export function ConsentHistory({ row }: { row: Row }): JSX.Element {
  const [open, setOpen] = useState(false);
  const [found, setFound] = useState<Found | null>(null);
  const { conversation } = row;
  useEffect(() => {
    if (!open) return undefined;
    let over = false;
    look(conversation, null).then(
      (got) => !over && setFound(got),
      () => undefined,
    );
    return () => {
      over = true;
    };
    // What is said now arrives with the row's next event.
  }, [open, conversation, row.last]);
  const further = (): void => {
    if (found === null) return;
    look(conversation, found.before).then(
      (got) => setFound({ events: [...found.events, ...got.events], before: got.before }),
      () => undefined,
    );
  };
  return (
    <details class="consent-history" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{words.consentHistory}</summary>
      {found === null ? (
        <p class="hint">{words.loading}</p>
      ) : (
        <ul>
          {found.events.map((event) => (
            <li key={event.offset}>
              <time title={fully(event.at)}>{short(event.at)}</time> {words.line(event, author(event), me.value)}
              {event.text != null && event.text !== '' && <q>{event.text}</q>}
            </li>
          ))}
          {found.before === null && <li>{words.consentBegan(row)}</li>}
        </ul>
      )}
      {found?.before != null && (
        <button type="button" class="text-act" onClick={further}>
          {words.lookFurther}
        </button>
      )}
    </details>
  );
}
