// Short names for the generated types. Nothing is written by hand here but names.
import type { components } from './generated/api';

type Schemas = components['schemas'];

export type InboxPage = Schemas['InboxPage'];
export type Row = Schemas['InboxRow'];
export type ConversationView = Schemas['ConversationView'];
export type ConversationPage = Schemas['ConversationPage'];
export type ContactView = Schemas['ContactView'];
export type MessageView = Schemas['MessageView'];
export type SearchPage = Schemas['SearchPage'];
export type SearchHit = Schemas['SearchHit'];
export type WireEvent = Schemas['WireEvent'];
export type Status = Schemas['Status'];
export type CarrierError = Schemas['CarrierError'];
export type MediaRef = Schemas['MediaRef'];
export type Reply = Schemas['Reply'];
export type Problem = Schemas['Problem'];
export type BlockReason = Schemas['BlockReason'];
export type Position = Schemas['Position'];
export type PageToken = Schemas['PageToken'];
export type PageInvitation = Schemas['PageInvitation'];
export type PageSessions = Schemas['PageSessions'];
export type Texts = Schemas['Texts'];
export type OperatorView = Schemas['OperatorView'];
export type OneTimeLink = Schemas['OneTimeLink'];
export type Invite = Schemas['Invite'];
export type Role = Schemas['Role'];
export type QueueView = Schemas['QueueView'];
export type PresenceInfo = Schemas['ClientInfo'];
export type Activity = Schemas['Activity'];
export type FiguresPage = Schemas['FiguresPage'];
export type HourFigures = Schemas['HourFigures'];
export type LineFigures = Schemas['LineFigures'];
export type MeView = Schemas['MeView'];
export type SavedFilter = Schemas['SavedFilter'];
export type Availability = Schemas['Availability'];
export type WeekHours = Schemas['WeekHours'];
export type HoursSpan = Schemas['HoursSpan'];
export type Preferences = Schemas['Preferences'];
export type TenantView = Schemas['TenantView'];
export type ChannelSettings = Schemas['ChannelSettings'];
export type ChannelView = Schemas['ChannelView'];

/** Microseconds since the epoch, as the engine stamps events. */
export type Stamp = number;

/** An event of a conversation; settings belong to none and do not matter here. */
export type ConversationEvent = WireEvent & { conversation: string };

/** What the stream carries: an event, or the word that there is one this role may not see. */
export type Published = WireEvent | { type: 'hidden' };

export function isOfConversation(event: Published): event is ConversationEvent {
  return event.type !== 'hidden' && 'conversation' in event && typeof event.conversation === 'string';
}
