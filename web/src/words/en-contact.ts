// The strings of a contact's details, in English.
import type { BlockReason } from '../types';

export const contact = {
  consentTitle: 'Consent',
  optOut: 'Opt out',
  optIn: 'Opt in again',
  optOutWhy: 'Why? For whoever asks later (optional)',
  optOutExample: 'Asked on the phone',
  blockTitle: 'Unwanted',
  block: 'Block',
  markSpam: 'Mark as spam',
  unblock: 'Unblock',
  blockHint: 'What they send is kept, among the resolved. Nobody is told, and nothing is sent to them.',
  blockedAs: { unwanted: 'Blocked', spam: 'Spam' } satisfies Record<BlockReason, string>,
  optOutHint: 'Stops all texts to this contact, on every line.',
  optedOutNow: 'Opted out. They get no more texts',
  blockedNow: (who: string, why: BlockReason): string => `${why === 'spam' ? 'Marked as spam' : 'Blocked'}: ${who}`,
  abort: 'Cancel',
  notes: 'Notes about the contact',
  notesPlaceholder: 'What the next person should know',
  nameField: 'Name',
  namePlaceholder: 'Add a name',
};
