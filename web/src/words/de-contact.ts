// The strings of a contact's details, in German.
import type { BlockReason } from '../types';

export const contact = {
  consentTitle: 'Einwilligung',
  optOut: 'Abmelden',
  optIn: 'Wieder anmelden',
  optOutWhy: 'Warum? Für alle, die später fragen (freiwillig)',
  optOutExample: 'Am Telefon darum gebeten',
  blockTitle: 'Unerwünscht',
  block: 'Blockieren',
  markSpam: 'Als Spam melden',
  unblock: 'Nicht mehr blockieren',
  blockHint: 'Was kommt, wird unter den erledigten aufbewahrt. Niemand wird benachrichtigt, und nichts wird gesendet.',
  blockedAs: { unwanted: 'Blockiert', spam: 'Spam' } satisfies Record<BlockReason, string>,
  optOutHint: 'Beendet alle Nachrichten an diesen Kontakt, auf jeder Leitung.',
  optedOutNow: 'Abgemeldet. Bekommt keine Nachrichten mehr',
  blockedNow: (who: string, why: BlockReason): string => `${why === 'spam' ? 'Als Spam gemeldet' : 'Blockiert'}: ${who}`,
  abort: 'Abbrechen',
  notes: 'Notizen zum Kontakt',
  notesPlaceholder: 'Was der Nächste wissen sollte',
  nameField: 'Name',
  namePlaceholder: 'Namen hinzufügen',
};
