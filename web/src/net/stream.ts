// The stream, through the protocol's own client: where it goes on from, what it tells, how it is.
import { Centrifuge, type PublicationContext, type Subscription } from 'centrifuge';
import { signal } from '@preact/signals';
import type { Activity, PresenceInfo, Published } from '../types';
import { currentToken } from './session';

export type Connection = 'connecting' | 'live' | 'away';

/** How the stream is. `away`: it was there and is not; it comes back by itself. */
export const connection = signal<Connection>('connecting');
/** When it went away. */
export const awaySince = signal<number | null>(null);

export interface Hooks {
  events(events: { offset: number; data: Published }[]): void;
  /** The position cannot be continued: everything must be loaded anew. */
  lost(): void;
  /** What this operator may see has changed, or they may see nothing any more. */
  ended(code: number): void;
  presence(news: { joined?: PresenceInfo; left?: PresenceInfo; activity?: Activity; all?: PresenceInfo[] }): void;
  back(): void;
}

/** From 3500 on the engine says: do not come back. 3014: what may be seen has changed. */
const INVALIDATED = 3014;
const FRAME_MS = 16;

export class Stream {
  private readonly client: Centrifuge;
  private readonly hooks: Hooks;
  private readonly presenceChannel: Subscription;
  private looking: Subscription | null = null;
  private pile: { offset: number; data: Published }[] = [];
  private flushing = false;
  private flushed = 0;

  constructor(tenant: string, position: { epoch: string; offset: number }, hooks: Hooks) {
    this.hooks = hooks;
    const url = `${location.origin.replace(/^http/, 'ws')}/v1/stream`;
    this.client = new Centrifuge(url, {
      getToken: currentToken,
      data: { inbox: position },
      minReconnectDelay: 200,
      maxReconnectDelay: 4_000,
      timeout: 8_000,
      name: 'desk',
    });
    this.client.on('connected', () => {
      connection.value = 'live';
      awaySince.value = null;
      hooks.back();
    });
    this.client.on('connecting', ({ code }) => {
      if (connection.peek() === 'live') awaySince.value = Date.now();
      if (connection.peek() === 'live') connection.value = 'away';
      if (code === INVALIDATED) hooks.ended(code);
    });
    this.client.on('disconnected', ({ code }) => {
      connection.value = 'away';
      hooks.ended(code);
    });
    this.client.on('subscribed', (context) => {
      // The first connect asks to go on from the page's position; that is a recovery too.
      if (context.wasRecovering && !context.recovered) hooks.lost();
    });
    this.client.on('publication', (context) => this.take(context));
    this.presenceChannel = this.client.newSubscription(`presence:${tenant}`);
    this.watchPresence();
  }

  connect(): void {
    this.client.connect();
  }

  close(): void {
    this.client.removeAllListeners();
    this.client.disconnect();
  }

  /** Tries again at once: the browser says that the network is back. */
  nudge(): void {
    if (connection.peek() !== 'away') return;
    this.client.disconnect();
    this.client.connect();
  }

  /** Shows others which conversation is on this screen. */
  look(conversation: string | null): void {
    if (this.looking !== null) {
      this.client.removeSubscription(this.looking);
      this.looking = null;
    }
    if (conversation === null) return;
    this.looking = this.client.newSubscription(`conversation:${conversation}`);
    this.looking.subscribe();
  }

  typing(conversation: string, typing: boolean): void {
    if (connection.peek() !== 'live') return;
    this.client.rpc('typing.set', { conversation, typing }).catch(() => undefined);
  }

  /** What comes alone is folded in at once; what comes with others within a frame is folded in and painted together. */
  private take(context: PublicationContext & { channel?: string }): void {
    if (context.offset === undefined) return;
    this.pile.push({ offset: context.offset, data: context.data as Published });
    if (this.flushing) return;
    this.flushing = true;
    const flush = (): void => {
      this.flushing = false;
      this.flushed = performance.now();
      const events = this.pile;
      this.pile = [];
      this.hooks.events(events);
    };
    // A hidden page gets no frames, and must not fall behind for it.
    if (performance.now() - this.flushed > FRAME_MS) queueMicrotask(flush);
    else if (document.visibilityState === 'visible') requestAnimationFrame(flush);
    else setTimeout(flush, 50);
  }

  private watchPresence(): void {
    const channel = this.presenceChannel;
    channel.on('subscribed', () => {
      channel.presence().then(
        ({ clients }) => this.hooks.presence({ all: Object.values(clients).map(info) }),
        () => undefined,
      );
    });
    channel.on('join', ({ info: joined }) => this.hooks.presence({ joined: info(joined) }));
    channel.on('leave', ({ info: left }) => this.hooks.presence({ left: info(left) }));
    channel.on('publication', ({ data }) => this.hooks.presence({ activity: data as Activity }));
    channel.subscribe();
  }
}

/** The client library's names for what the wire calls `chan_info`. */
function info(given: { client: string; user: string; chanInfo?: unknown }): PresenceInfo {
  return { client: given.client, user: given.user, chan_info: given.chanInfo ?? {} };
}
