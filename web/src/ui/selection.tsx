// Many conversations at once: what is chosen, and what is done with all of it. One notice, one undo.
import { signal } from '@preact/signals';
import { AlarmClock, CheckCheck, Inbox, Tag, UserRound, UserRoundX, X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { actions, listed, me } from '../desk';
import { route } from '../route';
import { morning } from '../time';
import type { Row } from '../types';
import { words } from '../words';
import { Act, Heard } from './parts';

/** Ids of conversations. */
export const selection = signal<ReadonlySet<string>>(new Set());
/** Where a range begins. */
let anchor: string | null = null;

export function clearSelection(): void {
  anchor = null;
  if (selection.peek().size > 0) selection.value = new Set();
}

/** Chooses one, or lets it go; with `range` everything from the one before. */
export function toggle(id: string, range = false): void {
  const next = new Set(selection.peek());
  const ids = listed.peek().map((row) => row.conversation);
  const [from, to] = [anchor === null ? -1 : ids.indexOf(anchor), ids.indexOf(id)];
  if (range && from !== -1 && to !== -1) {
    for (const one of ids.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(one);
  } else if (!next.delete(id)) {
    next.add(id);
  }
  anchor = id;
  selection.value = next;
}

/** What is chosen and still in this list: nobody acts on what they do not see. */
export function chosen(): readonly Row[] {
  return listed.value.filter((row) => selection.value.has(row.conversation));
}

export function SelectBox({ row }: { row: Row }): JSX.Element {
  return (
    <label class="row-select" title={`${words.select} (x)`}>
      <Heard>{words.selectOne(words.who(row))}</Heard>
      <input
        type="checkbox"
        tabIndex={-1}
        checked={selection.value.has(row.conversation)}
        onClick={(event) => {
          toggle(row.conversation, event.shiftKey);
          // The signal decides, also where a range was chosen.
          event.currentTarget.checked = selection.peek().has(row.conversation);
        }}
      />
    </label>
  );
}

/** Stands above the list while something is chosen. */
export function SelectionBar(): JSX.Element | null {
  const rows = chosen();
  const [tagging, setTagging] = useState(false);
  const { view } = route.value;
  useEffect(clearSelection, [view]);
  if (rows.length === 0) return null;
  const done = (act: (rows: readonly Row[]) => void) => (): void => {
    act(rows);
    setTagging(false);
    clearSelection();
  };
  const all = listed.value;
  const tomorrow = morning(1);
  return (
    <div class="selection" role="toolbar" aria-label={words.selected(rows.length)}>
      <p role="status">{words.selected(rows.length)}</p>
      {tagging ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const field = event.currentTarget.elements.namedItem('tag');
            const tag = field instanceof HTMLInputElement ? field.value.trim().replaceAll(/\s+/g, '-') : '';
            if (tag !== '') done((many) => actions.tagMany(many, tag))();
          }}
        >
          <input name="tag" aria-label={words.addTag} placeholder={words.addTag} maxLength={64} autofocus />
        </form>
      ) : (
        <div class="selection-acts">
          {rows.length < all.length && (
            <Act label={words.selectAll(all.length)} onClick={() => (selection.value = new Set(all.map((row) => row.conversation)))}>
              <Inbox size={16} aria-hidden="true" />
            </Act>
          )}
          <Act label={words.take} onClick={done((many) => actions.assignMany(many, me.peek()))}>
            <UserRound size={16} aria-hidden="true" />
          </Act>
          <Act label={words.unassign} onClick={done((many) => actions.assignMany(many, null))}>
            <UserRoundX size={16} aria-hidden="true" />
          </Act>
          <Act label={words.addTag} onClick={() => setTagging(true)}>
            <Tag size={16} aria-hidden="true" />
          </Act>
          {view !== 'resolved' && (
            <Act label={`${words.snooze}: ${words.snoozeChoices.tomorrow}`} onClick={done((many) => actions.snoozeMany(many, tomorrow))}>
              <AlarmClock size={16} aria-hidden="true" />
            </Act>
          )}
          <Act label={view === 'resolved' ? words.reopen : words.resolve} onClick={done((many) => (view === 'resolved' ? actions.reopenMany(many) : actions.resolveMany(many)))}>
            <CheckCheck size={16} aria-hidden="true" />
          </Act>
        </div>
      )}
      <Act label={words.clearSelection} keys="Esc" onClick={clearSelection}>
        <X size={16} aria-hidden="true" />
      </Act>
    </div>
  );
}
