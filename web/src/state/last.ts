// What a row shows as the last thing, and whether anything in it is still to be seen.
import type { Row } from '../types';

/** What a missed call brings about at once, such as opening a conversation again, is stamped within this. */
const AT_ONCE_US = 1_000_000;

/** A row names its last message and its missed call. What came in after both, and is no text, was a voicemail. Whoever hangs up
 * at the tone leaves one of a second: a missed call stays one, whatever was left after it. */
export function lastThing(row: Row): 'missed' | 'voicemail' | 'missed-voicemail' | 'message' | 'nothing' {
  const last = row.last_message;
  const spoke = row.waiting_since != null && row.unprocessed === 0 && row.last_inbound > (last?.offset ?? 0);
  if (row.missed_call == null) {
    if (spoke) return 'voicemail';
  } else {
    if (spoke && row.activity > row.missed_call + AT_ONCE_US) return 'missed-voicemail';
    if (row.missed_call >= (last?.direction === 'inbound' ? last.at : 0)) return 'missed';
  }
  return last == null ? 'nothing' : 'message';
}

/** How many messages wait to be seen. What somebody answered has been seen, by whoever answered. */
export function unseen(row: Row): number {
  const answered = row.waiting_since == null && row.last_message?.offset !== row.last_inbound;
  return answered ? 0 : row.unread;
}
