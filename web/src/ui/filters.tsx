// Saved filters: chosen above the list, made and removed in a dialog. The engine keeps them for the person, not the browser.
import { ListFilter, X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { me, rows } from '../desk';
import { chosen, filters, saveFilters } from '../mine';
import { go, route } from '../route';
import { VIEWS, isView } from '../state/views';
import type { SavedFilter } from '../types';
import { words } from '../words';
import { Modal } from './modal';
import { Act, operatorName } from './parts';
import { dialog } from './screen';

export const FILTERS_MAX = 20;

function choose(filter: SavedFilter): void {
  if (chosen.peek()?.name === filter.name) {
    chosen.value = null;
    return;
  }
  go({ view: filter.view, conversation: null });
  chosen.value = filter;
}

/** The saved ones, one press each. */
export function FilterBar(): JSX.Element | null {
  if (filters.value.length === 0) return null;
  return (
    <div class="filters" role="group" aria-label={words.filters}>
      {filters.value.map((filter) => (
        <button key={filter.name} type="button" class="filter" aria-pressed={chosen.value?.name === filter.name} onClick={() => choose(filter)}>
          {filter.name}
        </button>
      ))}
    </div>
  );
}

export function FilterAct(): JSX.Element {
  return (
    <Act label={words.filters} keys="f" onClick={() => (dialog.value = 'filters')}>
      <ListFilter size={18} aria-hidden="true" />
    </Act>
  );
}

export function Filters(): JSX.Element {
  return (
    <Modal label={words.filters} kind="filters-edit">
      <header class="modal-head">
        <h2>{words.filters}</h2>
        <Act label={words.close} keys="Esc" onClick={() => (dialog.value = null)}>
          <X size={18} aria-hidden="true" />
        </Act>
      </header>
      <div class="modal-text">
        <p class="quiet">{words.filtersHint}</p>
        <ul class="table-list">
          {filters.value.map((filter) => (
            <li key={filter.name}>
              <span class="table-main">
                {filter.name}
                <small>{words.filterSays(filter)}</small>
              </span>
              <button type="button" class="text-act" aria-label={words.removeFilter(filter.name)} onClick={() => void remove(filter)}>
                {words.remove}
              </button>
            </li>
          ))}
        </ul>
        {filters.value.length < FILTERS_MAX && <NewFilter />}
      </div>
    </Modal>
  );
}

async function remove(filter: SavedFilter): Promise<void> {
  if (await saveFilters(filters.peek().filter((one) => one.name !== filter.name))) {
    if (chosen.peek()?.name === filter.name) chosen.value = null;
  }
}

const BLANK: SavedFilter = { name: '', view: 'all', tags: [], assigned: null, channel: null, waiting: false, unread: false };

/** Everything that is in use, to choose from. */
function inUse(what: 'assigned' | 'channel'): string[] {
  const found = [...rows.value.values()].map((row) => row[what]).filter((value) => value != null);
  return [...new Set(found)].sort();
}

function NewFilter(): JSX.Element {
  const view = route.value.view;
  const [draft, setDraft] = useState<SavedFilter>({ ...BLANK, view });
  const tags = [...new Set([...rows.value.values()].flatMap((row) => row.tags))].sort();
  const set = (part: Partial<SavedFilter>): void => setDraft((before) => ({ ...before, ...part }));
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const filter = { ...draft, name: draft.name.trim() };
    if (filter.name === '') return;
    if (!(await saveFilters([...filters.peek().filter((one) => one.name !== filter.name), filter]))) return;
    setDraft({ ...BLANK, view });
    dialog.value = null;
    go({ view: filter.view, conversation: null });
    chosen.value = filter;
  };
  return (
    <form class="fields" onSubmit={(event) => void save(event)}>
      <h3>{words.newFilter}</h3>
      <label for="filter-view">{words.filterView}</label>
      <select id="filter-view" value={draft.view} onChange={(event) => isView(event.currentTarget.value) && set({ view: event.currentTarget.value })}>
        {VIEWS.map((one) => (
          <option key={one} value={one}>
            {words.viewNames[one]}
          </option>
        ))}
      </select>
      <Choice id="filter-tag" label={words.tags} value={draft.tags?.[0] ?? ''} all={tags} onChange={(tag) => set({ tags: tag === '' ? [] : [tag] })} />
      <Choice
        id="filter-assigned"
        label={words.assign}
        value={draft.assigned ?? ''}
        all={inUse('assigned')}
        name={(operator) => operatorName(operator, me.value)}
        onChange={(operator) => set({ assigned: operator === '' ? null : operator })}
      />
      <Choice id="filter-line" label={words.line_} value={draft.channel ?? ''} all={inUse('channel')} onChange={(line) => set({ channel: line === '' ? null : line })} />
      <Check label={words.filterWaiting} on={draft.waiting === true} onChange={(waiting) => set({ waiting })} />
      <Check label={words.filterUnread} on={draft.unread === true} onChange={(unread) => set({ unread })} />
      <label for="filter-name">{words.filterName}</label>
      <input id="filter-name" value={draft.name} maxLength={40} required autocomplete="off" onInput={(event) => set({ name: event.currentTarget.value })} />
      <button type="submit" class="send">
        {words.save}
      </button>
    </form>
  );
}

interface ChoiceProps {
  id: string;
  label: string;
  value: string;
  all: readonly string[];
  name?: (value: string) => string;
  onChange: (value: string) => void;
}

function Choice({ id, label, value, all, name = (same) => same, onChange }: ChoiceProps): JSX.Element | null {
  if (all.length === 0) return null;
  return (
    <>
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{words.whatever}</option>
        {all.map((one) => (
          <option key={one} value={one}>
            {name(one)}
          </option>
        ))}
      </select>
    </>
  );
}

function Check({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}
