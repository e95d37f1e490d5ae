// The strings of the first run, in English.
const FATES = { none: 'Nothing was sent: this line does not answer missed calls.', open: 'Your text is on its way.', sent: 'Your text has left.', delivered: 'Your text was delivered.' };

export const wizard = {
  title: 'Set up, and hear it ring',
  begin: 'Set it up, step by step',
  another: 'Add another line',
  steps: ['Business', 'Number', 'Text', 'Test call'],
  next: 'Next',
  business: 'Name of the business',
  businessHint: 'As your callers know it. It stands in your texts.',
  account: 'Account',
  accountOf: (account: string, numbers: string): string => `${account}, of ${numbers}`,
  otherAccount: 'Another account',
  accountHint: 'From the console of Twilio. The token is sealed: nobody can read it back.',
  sid: 'Account SID',
  secret: 'Auth token',
  number: 'Your number',
  paste: 'Paste these at the carrier, for this number. Then calls and texts come here.',
  coverageHint: 'Else it only shows them.',
  answer: 'What a caller reads whose call was missed',
  suggestion: 'Hi, this is {business}. Sorry we missed your call. How can we help?',
  callNow: (numbers: string): string => `Call ${numbers} from another telephone, and hang up.`,
  phone: 'Open the demo’s telephone',
  waiting: 'Waiting for your call',
  came: (who: string, fate: keyof typeof FATES): string => `Missed call from ${who}. It works. ${FATES[fate]}`,
  open: 'Open it and answer',
};
