// One conversation: its head with what can be done, its messages, and the place to write.
import { AlarmClock, ArrowLeft, Check, PanelRight, RotateCcw, UserRoundCheck, UserRoundPlus } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { actions, current, mayWrite, me, ready } from '../desk';
import { others } from '../presence';
import { go, route } from '../route';
import type { Row } from '../types';
import { words } from '../words';
import { resolveCurrent, takeCurrent } from './commands';
import { Composer } from './composer';
import { TestNumbers } from './empty';
import { Act, Face, operatorName } from './parts';
import { columnOpen, drawerOpen, menu, toggleContact } from './screen';
import { SnoozeMenu } from './snooze';
import { TimelineView } from './timeline';

export function Conversation(): JSX.Element {
  const row = current.value;
  const id = route.value.conversation;
  if (id === null) return <Nothing />;
  return (
    <section class="conversation" aria-label={words.conversation}>
      {row === null ? <div class="head" /> : <Head row={row} />}
      <TimelineView key={id} id={id} row={row} />
      {row !== null && <Present id={id} />}
      {row !== null && mayWrite.value && <Composer key={`write-${id}`} row={row} />}
      {row !== null && <Seen row={row} />}
    </section>
  );
}

function Nothing(): JSX.Element {
  return (
    <section class="conversation nothing" aria-label={words.conversation}>
      {ready.value && (
        <div class="empty">
          <p>{words.pick}</p>
          <p class="hint">{words.pickHint}</p>
          <TestNumbers />
        </div>
      )}
    </section>
  );
}

function Head({ row }: { row: Row }): JSX.Element {
  const mine = row.assigned === me.value;
  return (
    <header class="head">
      <Act label={words.back} keys="Esc" class="back" onClick={() => go({ conversation: null })}>
        <ArrowLeft size={20} aria-hidden="true" />
      </Act>
      <Face row={row} />
      <div class="head-who">
        <h2>{words.who(row)}</h2>
        <p class="head-sub">
          {row.assigned == null ? words.nobody : mine ? words.assignedMine : words.assignedTo(row.assigned)}
          {row.consent === 'opted_out' && <span class="bad"> · {words.consent(row)}</span>}
        </p>
      </div>
      {mayWrite.value && (
        <div class="head-acts">
          <Act label={mine ? words.unassign : words.take} keys="a" pressed={mine} onClick={takeCurrent}>
            {mine ? <UserRoundCheck size={18} aria-hidden="true" /> : <UserRoundPlus size={18} aria-hidden="true" />}
          </Act>
          <span class="menu-place">
            <Act label={words.snooze} keys="s" disabled={!row.open} expanded={menu.value === 'snooze'} onClick={() => (menu.value = menu.value === 'snooze' ? null : 'snooze')}>
              <AlarmClock size={18} aria-hidden="true" />
            </Act>
            {menu.value === 'snooze' && <SnoozeMenu />}
          </span>
          <Act label={row.blocked != null ? words.unblock : row.open ? words.resolve : words.reopen} keys="e" named class="resolve" onClick={resolveCurrent}>
            {row.open ? <Check size={18} aria-hidden="true" /> : <RotateCcw size={18} aria-hidden="true" />}
          </Act>
        </div>
      )}
      <Act label={words.details} keys="i" expanded={columnOpen.value || drawerOpen.value} onClick={toggleContact}>
        <PanelRight size={18} aria-hidden="true" />
      </Act>
    </header>
  );
}

/** Who else is on it: nobody answers over a colleague. */
function Present({ id }: { id: string }): JSX.Element {
  const here = others(id);
  const names = here.filter((one) => one.typing).map((one) => operatorName(one.operator, me.value));
  const looking = here.map((one) => operatorName(one.operator, me.value));
  const text = names.length > 0 ? words.typing(names) : looking.length > 0 ? words.looking(looking) : '';
  return (
    <p class="present" role="status" data-typing={names.length > 0 ? '' : undefined}>
      {text}
    </p>
  );
}

const SEEN_MS = 1_000;

/** Unread means "not seen by a person": the window is looked at and the conversation open for a moment. */
function Seen({ row }: { row: Row }): null {
  const { unread, last, conversation } = row;
  useEffect(() => {
    if (unread === 0 || !mayWrite.peek()) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(timer);
      if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
      timer = setTimeout(() => {
        const now = current.peek();
        if (now?.conversation === conversation && now.unread > 0) actions.read(now);
      }, SEEN_MS);
    };
    look();
    addEventListener('focus', look);
    addEventListener('blur', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(timer);
      removeEventListener('focus', look);
      removeEventListener('blur', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, [unread, last, conversation]);
  return null;
}
