// The telephone. It asks the carrier for its state whenever the carrier says that something changed, and shows it.
// Everything that came from elsewhere goes through textContent: nothing of it is ever markup.
'use strict';

const $ = (id) => document.getElementById(id);
// Fictional numbers; the demo's own callers have other area codes (demo.rs).
const AREAS = [212, 213, 305, 415, 602, 713];
const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
const STATES = {
  ringing: 'Ringing…', 'in-progress': 'Connected', completed: 'The call has ended', busy: 'Busy',
  'no-answer': 'No answer', failed: 'The call failed', canceled: 'You hung up',
};

let lines = [];
let shown = null;
let recording = 0;

const tell = (text) => ($('notice').textContent = text);
const clock = (us) => new Date(us / 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const element = (name, text = '', className = '') => Object.assign(document.createElement(name), { textContent: text, className });
const button = (text, className, act) => {
  const made = element('button', text, className);
  made.type = 'button';
  made.addEventListener('click', act);
  return made;
};
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode */ } };
const remembered = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

async function ask(path, body) {
  const options = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(`the carrier said ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}
const attempt = (what, action) => async (...given) => {
  try {
    await action(...given);
  } catch (error) {
    tell(`${what}: ${error.message}`);
  }
};

// Numbers as people write them: ten digits are American, 00 is a plus. What is none of that stays as it was typed.
function normal(typed) {
  const digits = typed.replace(/[\s().\-\u2010-\u2015/]/g, '').replace(/^00/, '+');
  if (/^[2-9]\d{9}$/.test(digits)) return `+1${digits}`;
  return /^1[2-9]\d{9}$/.test(digits) ? `+${digits}` : digits;
}
// As the desk shows them.
const readable = (one) => one.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '($1) $2-$3');
const number = () => normal($('number').value.trim());
const isNumber = () => /^\+[1-9]\d{6,14}$/.test(number());
const line = () => lines.find((one) => one.channel === $('line').value);
const call = () => shown?.calls[0];
const isOver = (one) => one.ended_us !== null;
const act = (sid, what) => attempt('That did not work', () => ask(`/control/calls/${sid}/act`, what))();

// --- what is shown

function showHeard(list, one) {
  if (list.dataset.sid !== one.sid) {
    list.replaceChildren();
    list.dataset.sid = one.sid;
  }
  const fresh = one.heard.slice(list.children.length);
  for (const { sound, text } of fresh) {
    const words = { voice: `“${text}”`, key: `You pressed ${text}`, audio: `♪ ${text}` }[sound] ?? text;
    list.append(element('li', words, sound));
  }
  if (fresh.length) list.scrollTop = list.scrollHeight;
}

function showKeys(place, sid) {
  if (place.dataset.sid === sid) return;
  place.dataset.sid = sid;
  place.replaceChildren(...KEYS.map((key) => button(key, '', () => act(sid, { digit: key }))));
}

function ending(one) {
  const parts = [];
  if (one.status === 'completed') parts.push(`It took ${one.duration_s} s.`);
  if (one.recordings.length) parts.push('Your message was recorded.');
  if (one.rang_nobody) parts.push('Nobody’s phone rang at the business: it was a missed call.');
  for (const problem of one.problems) parts.push(`Problem ${problem.code || ''}: ${problem.detail}.`);
  return parts.join(' ');
}

function showCall() {
  const one = call();
  const busy = Boolean(one && !isOver(one));
  $('dial').hidden = busy;
  $('dial').disabled = !shown.handset.on || !lines.length || !isNumber();
  $('call').hidden = !one;
  $('hangup').hidden = !busy;
  $('keys').hidden = !busy || one.status !== 'in-progress' || one.asks === 'recording';
  $('mail').hidden = !busy || one.asks !== 'recording';
  if (!one) return;
  if ($('mail').hidden) stopClock();
  const asks = { digits: 'Press a key', recording: 'Speak after the beep' }[one.asks];
  $('call-state').textContent = (busy && asks) || STATES[one.status] || one.status;
  $('call-note').textContent = busy ? '' : ending(one);
  showHeard($('heard'), one);
  showKeys($('keys'), one.sid);
}

function bubble(list, text) {
  const item = element('li', '', `bubble${text.mine ? ' mine' : ''}${text.by_carrier ? ' carrier' : ''}`);
  for (const url of text.media) {
    const own = url.startsWith(location.origin) || /^http:\/\/(127\.0\.0\.1|localhost):/.test(url);
    if (own) {
      const image = element('img');
      image.src = new URL(url).pathname;
      image.alt = text.mine ? 'The picture you sent' : 'A picture';
      // It has its height only now: the thread follows, if its end was looked at.
      image.addEventListener('load', () => { if (list.dataset.end !== 'false') list.scrollTop = list.scrollHeight; });
      item.append(image);
    } else {
      const link = element('a', 'Picture');
      Object.assign(link, { href: url, rel: 'noreferrer', target: '_blank' });
      item.append(link);
    }
  }
  if (text.body) item.append(element('p', text.body));
  const from = text.by_carrier ? ' · by the carrier itself' : '';
  item.append(element('small', `${text.mine ? 'sent' : 'arrived'} ${clock(text.at_us)}${from}`));
  return item;
}

function showThread() {
  const list = $('thread');
  const keys = shown.texts.map((text) => `${text.at_us} ${text.mine} ${text.by_carrier}`);
  const have = [...list.children].map((item) => item.dataset.key);
  const known = have.every((key, index) => key === keys[index]);
  if (!known) list.replaceChildren();
  shown.texts.slice(list.children.length).forEach((text) => {
    const item = bubble(list, text);
    item.dataset.key = keys[list.children.length];
    list.append(item);
  });
  if (known && have.length === keys.length) return;
  list.dataset.end = 'true';
  list.scrollTop = list.scrollHeight;
}

function showPhone() {
  const { on, landline, network } = shown.handset;
  $('on').checked = on;
  $('landline').checked = landline;
  if (document.activeElement !== $('network')) $('network').value = network ?? '';
  const mute = !on || landline;
  for (const control of document.querySelectorAll('#body, #send, #draw, #file, [data-text]')) control.disabled = mute;
  document.querySelector('.button[for=file]').classList.toggle('off', mute);
  const held = shown.waiting === 1 ? 'One text waits' : `${shown.waiting} texts wait`;
  $('waiting').textContent = landline
    ? 'A landline gets no texts.'
    : on ? '' : `The phone is off.${shown.waiting ? ` ${held} at the network.` : ''}`;
}

function showDesk() {
  const place = $('desk');
  $('desk-idle').hidden = shown.desk.length > 0;
  for (const old of [...place.children]) {
    if (!shown.desk.some((leg) => leg.sid === old.dataset.sid)) old.remove();
  }
  for (const leg of shown.desk) {
    let panel = [...place.children].find((one) => one.dataset.sid === leg.sid);
    if (!panel) {
      panel = element('div', '', 'leg');
      panel.dataset.sid = leg.sid;
      const keys = element('div', '', 'keys');
      keys.setAttribute('role', 'group');
      keys.setAttribute('aria-label', 'Keys of the business’s phone');
      panel.append(element('h3'), element('ol', '', 'heard'), element('div', '', 'row'), keys);
      place.append(panel);
    }
    showLeg(panel, leg);
  }
}

function showLeg(panel, leg) {
  const [title, heard, actions, keys] = panel.children;
  const rings = leg.asks === 'answer';
  panel.classList.toggle('ringing', rings);
  title.textContent = rings ? `${readable(leg.from) || 'Unknown caller'} calls ${readable(leg.to)}` : `Talking as ${readable(leg.to)}`;
  showHeard(heard, leg);
  keys.hidden = rings;
  showKeys(keys, leg.sid);
  const state = rings ? 'rings' : 'talks';
  if (actions.dataset.state === state) return;
  actions.dataset.state = state;
  actions.replaceChildren(...(rings
    ? [button('Answer', 'go grow', () => act(leg.sid, 'answer')), button('Decline', 'end grow', () => act(leg.sid, 'decline'))]
    : [button('Hang up', 'end grow', () => act(leg.sid, 'hang-up'))]));
}

async function refresh() {
  const one = line();
  if (!one || !isNumber()) return;
  const query = new URLSearchParams({ number: number(), line: one.address });
  const state = await ask(`/control/phone?${query}`);
  if (query.get('number') !== number() || state.handset.number !== number()) return;
  shown = state;
  showPhone();
  showCall();
  showThread();
  showDesk();
}

// One at a time; a change that comes meanwhile is looked at afterwards.
let looking = false;
let again = false;
async function look() {
  again = true;
  if (looking) return;
  looking = true;
  while (again) {
    again = false;
    await attempt('The carrier cannot be reached', refresh)();
  }
  looking = false;
}

// --- what a person does

const handset = (change) =>
  ask('/control/handsets', { number: number(), on: $('on').checked, landline: $('landline').checked, network: $('network').value || null, held: true, ...change });

const became = attempt('That did not work', async () => {
  const isKnown = isNumber();
  $('number').setAttribute('aria-invalid', String(!isKnown));
  $('number-note').textContent = isKnown ? '' : 'This is no telephone number. Write it like (415) 555-0150, or with its country: +49 30 5550150.';
  $('dial').disabled = !isKnown;
  if (!isKnown) return;
  $('number').value = readable(number());
  remember('number', number());
  remember('line', $('line').value);
  const known = await ask(`/control/handsets/${encodeURIComponent(number())}`);
  $('thread').replaceChildren();
  await ask('/control/handsets', { ...known, held: true });
  await look();
});

function invent() {
  const area = AREAS[Math.floor(Math.random() * AREAS.length)];
  return `+1${area}55501${String(Math.floor(Math.random() * 100)).padStart(2, '0')}`;
}

const text = attempt('The text was not sent', async (body, media = []) => {
  const delivery = await ask('/control/inbound', { channel: $('line').value, from: number(), body, media });
  tell(delivery.status >= 200 && delivery.status < 300 ? '' : `The engine did not take it (${delivery.status || 'no answer'}); the carrier keeps it.`);
});

const sendPicture = attempt('The picture was not sent', async (blob) => {
  const answer = await fetch('/control/pictures', { method: 'POST', headers: { 'content-type': blob.type || 'image/png' }, body: blob });
  if (answer.status === 413) throw new Error('it is larger than 5 MB');
  if (answer.status === 415) throw new Error('it is no PNG, JPEG or GIF');
  if (!answer.ok) throw new Error(`the carrier said ${answer.status}`);
  const { id } = await answer.json();
  await text($('body').value.trim(), [id]);
  $('body').value = '';
});

// A dripping tap, drawn here: a real PNG.
function drawing() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 240, height: 180 });
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#dfe9f2';
  pen.fillRect(0, 0, 240, 180);
  pen.fillStyle = '#6b7785';
  pen.fillRect(20, 50, 120, 24);
  pen.fillRect(116, 50, 24, 50);
  pen.fillRect(64, 24, 18, 30);
  pen.fillRect(46, 18, 54, 12);
  pen.fillStyle = '#2f7fd6';
  for (const y of [122, 150]) {
    pen.beginPath();
    pen.arc(128 + Math.random() * 2, y, 8, 0, Math.PI * 2);
    pen.fill();
  }
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

function stopClock() {
  recording = 0;
  $('mail-record').setAttribute('aria-pressed', 'false');
  $('mail-record').textContent = 'Record';
}

function leave(seconds) {
  act(call().sid, { leave: { seconds, text: $('mail-text').value.trim() } });
  $('mail-text').value = '';
  stopClock();
}

function record() {
  if (recording) return leave(Math.max(1, Math.round((Date.now() - recording) / 1000)));
  recording = Date.now();
  $('mail-record').setAttribute('aria-pressed', 'true');
  const tick = () => {
    if (!recording) return;
    $('mail-record').textContent = `Stop and leave (${Math.round((Date.now() - recording) / 1000)} s)`;
    setTimeout(tick, 250);
  };
  tick();
}

function listen() {
  $('invent').addEventListener('click', () => { $('number').value = invent(); became(); });
  $('number').addEventListener('change', became);
  $('line').addEventListener('change', became);
  for (const id of ['on', 'landline', 'network']) $(id).addEventListener('change', attempt('That did not work', () => handset({})));
  $('dial').addEventListener('click', attempt('The call was not made', async () => {
    tell('');
    await ask('/control/calls', { channel: $('line').value, from: number() });
    await look();
    $('hangup').focus();
  }));
  // Whoever reads further up is left there.
  for (const sign of ['wheel', 'touchmove', 'keydown']) $('thread').addEventListener(sign, () => {
    const list = $('thread');
    requestAnimationFrame(() => { list.dataset.end = String(list.scrollHeight - list.scrollTop - list.clientHeight < 40); });
  }, { passive: true });
  $('hangup').addEventListener('click', () => { act(call().sid, 'hang-up'); });
  $('mail-leave').addEventListener('click', () => leave(Math.max(2, Math.round($('mail-text').value.trim().split(/\s+/).length / 2.5))));
  $('mail-record').addEventListener('click', record);
  $('compose').addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = $('body').value.trim();
    if (!body) return;
    $('body').value = '';
    await text(body);
  });
  $('body').addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $('compose').requestSubmit();
  });
  for (const one of document.querySelectorAll('[data-text]')) one.addEventListener('click', () => text(one.dataset.text));
  $('draw').addEventListener('click', async () => sendPicture(await drawing()));
  $('file').addEventListener('change', async () => {
    const [file] = $('file').files;
    if (file) await sendPicture(file);
    $('file').value = '';
  });
}

async function start() {
  const { lines: all, networks } = await ask('/control/phone/lines');
  lines = all;
  $('line').replaceChildren(...lines.map((one) => {
    const option = element('option', `${one.channel} · ${readable(one.address)}`);
    option.value = one.channel;
    return option;
  }));
  if (lines.some((one) => one.channel === remembered('line'))) $('line').value = remembered('line');
  $('network-label').hidden = networks.length === 0;
  $('network').replaceChildren(...['', ...networks].map((name) => Object.assign(element('option', name || 'default'), { value: name })));
  $('number').value = readable(remembered('number') ?? invent());
  await became();
  const changes = new EventSource('/control/phone/changes');
  changes.onmessage = look;
  changes.onopen = () => { tell(''); look(); };
  changes.onerror = () => tell('The carrier cannot be reached; trying again…');
}

listen();
attempt('The carrier cannot be reached', start)();
