// The hours of a week by which somebody is available: one's own in a dialog, others' in the settings.
import { Plus, X } from 'lucide-preact';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { isAway, mine, setHours } from '../mine';
import { DAYS, OFFICE, hoursOf, shiftsOf, type Day, type Shift } from '../state/week';
import { dayNames } from '../time';
import { say } from '../toasts';
import type { WeekHours } from '../types';
import { words } from '../words';
import { Modal } from './modal';
import { Act } from './parts';
import { dialog } from './screen';

/** One's own. */
export function Hours(): JSX.Element {
  const me = mine.value;
  return (
    <Modal label={words.hours} kind="hours">
      <header class="modal-head">
        <h2>{words.hours}</h2>
        <Act label={words.close} keys="Esc" onClick={() => (dialog.value = null)}>
          <X size={18} aria-hidden="true" />
        </Act>
      </header>
      <div class="modal-text">
        {me === null ? (
          <p class="quiet">{words.loading}</p>
        ) : (
          <>
            <p role="status">{words.standing(isAway.value, me.until ?? null, me.hours == null ? null : me.by_hand)}</p>
            <HoursEdit key={JSON.stringify(me.hours ?? null)} hours={me.hours ?? null} onSave={(hours) => void setHours(hours)} />
          </>
        )}
      </div>
    </Modal>
  );
}

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

function zones(known: string): readonly string[] {
  return [...new Set([known, here, 'UTC', ...Intl.supportedValuesOf('timeZone')])].sort();
}

export function HoursEdit({ hours, onSave }: { hours: WeekHours | null; onSave: (hours: WeekHours | null) => void }): JSX.Element {
  const [zone, setZone] = useState(hours?.zone ?? here);
  const [shifts, setShifts] = useState<readonly Shift[]>(hours === null ? OFFICE : shiftsOf(hours));
  const save = (event: Event): void => {
    event.preventDefault();
    const made = hoursOf(zone, shifts);
    if (made === null) say({ text: words.hoursTooMany, kind: 'problem' });
    else onSave(made);
  };
  return (
    <form class="fields week" onSubmit={save}>
      <p class="quiet">{words.hoursHint}</p>
      <label>
        {words.zone}
        <select value={zone} onChange={(event) => setZone(event.currentTarget.value)}>
          {zones(zone).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <ul>
        {DAYS.map((day, at) => (
          <DayOf
            key={day}
            day={day}
            name={dayNames[at] ?? day}
            shifts={shifts}
            onChange={setShifts}
          />
        ))}
      </ul>
      <div class="acts">
        <button type="submit" class="send">
          {words.save}
        </button>
        {hours !== null && (
          <button type="button" class="text-act" onClick={() => onSave(null)}>
            {words.noHours}
          </button>
        )}
      </div>
    </form>
  );
}

function DayOf({ day, name, shifts, onChange }: { day: Day; name: string; shifts: readonly Shift[]; onChange: (shifts: readonly Shift[]) => void }): JSX.Element {
  const change = (shift: Shift, to: Partial<Shift>): void => onChange(shifts.map((one) => (one === shift ? { ...one, ...to } : one)));
  const ofDay = shifts.filter((one) => one.day === day);
  return (
    <li>
      <span class="week-day">{name}</span>
      <span class="week-shifts">
        {ofDay.length === 0 && <span class="quiet">{words.notThere}</span>}
        {ofDay.map((shift, at) => (
          <span key={at} class="week-shift">
            <input type="time" required aria-label={words.hoursFrom(name)} value={shift.from} onInput={(event) => change(shift, { from: event.currentTarget.value })} />
            <span aria-hidden="true">–</span>
            <input type="time" required aria-label={words.hoursUntil(name)} value={shift.until} onInput={(event) => change(shift, { until: event.currentTarget.value })} />
            <Act label={words.removeHours(name)} onClick={() => onChange(shifts.filter((one) => one !== shift))}>
              <X size={16} aria-hidden="true" />
            </Act>
          </span>
        ))}
      </span>
      <Act label={words.addHours(name)} onClick={() => onChange([...shifts, { day, from: ofDay.length === 0 ? '09:00' : '13:00', until: '17:00' }])}>
        <Plus size={16} aria-hidden="true" />
      </Act>
    </li>
  );
}
