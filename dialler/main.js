// SPDX-License-Identifier: AGPL-3.0-or-later
// main.js - the page: shows what phone.js says and passes on what is pressed.
// config.json beside the page tells the server: { service, domain, gateway,
// accounts: [{ account, password }], numbers: [{ number, label }] }.
import { Phone } from './phone.js';
import { Meter, wakeAudio } from './meter.js';
import { QualityWatch } from './quality.js';
import { Settings } from './settings.js';
import { Texts, nameOf, showConversations, showTexts } from './texts.js';

const $ = id => document.getElementById(id);
const KEYS = [['1', ''], ['2', 'ABC'], ['3', 'DEF'], ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'], ['7', 'PQRS'], ['8', 'TUV'],
  ['9', 'WXYZ'], ['*', ''], ['0', '+'], ['#', '']];

const STATES = {
  offline: 'Not connected',
  connecting: 'Connecting …',
  ready: 'Ready',
  calling: 'Calling …',
  ringing: 'Ringing …',
  incoming: 'is calling',
  answering: 'Connecting the audio …',
  talking: 'Talking',
};

const config = await (await fetch('config.json')).json();
const phone = new Phone(config);
const texts = new Texts(config.gateway);
let settings = null; // while they are looked at
const meters = { own: new Meter($('own-level')), other: new Meter($('other-level')) };
window.dialler = Object.assign(phone, { texts }); // for the curious, and the tests

function duration(since) {
  const seconds = Math.floor((Date.now() - since) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function stateText() {
  if (phone.state !== 'talking') return STATES[phone.state];
  if (phone.unsteady) return 'The connection is unsteady …';
  if (phone.held) return 'On hold';
  if (phone.heldByPeer) return 'The other side holds the call';
  return `Talking ${duration(phone.talkingSince)}`;
}

function label(number) {
  return config.numbers?.find(n => n.number === number)?.label ?? '';
}

function render() {
  const { state } = phone, online = !['offline', 'connecting'].includes(state), inCall = phone.inCall;
  document.body.dataset.state = state;
  $('login').hidden = online;
  $('telephone').hidden = !online;
  $('who').textContent = online ? phone.account : '';
  $('logout').hidden = !online;
  const calls = inCall || state === 'calling';
  $('chat').hidden = calls || !texts.open || Boolean(settings);
  $('settings').hidden = calls || !settings;
  $('settings-button').hidden = !online;
  $('idle').hidden = calls || Boolean(texts.open) || Boolean(settings);
  $('in-call').hidden = !calls;
  if (!$('idle').hidden) $('digits').textContent = '';
  $('peer').textContent = phone.peer ?? '';
  $('peer-label').textContent = label(phone.peer);
  $('status').textContent = online && !inCall && state === 'ready' ? '' : stateText();
  $('incoming').hidden = state !== 'incoming';
  $('during').hidden = state === 'incoming';
  for (const id of ['mute', 'hold']) $(id).disabled = state !== 'talking';
  $('mute').setAttribute('aria-pressed', phone.muted);
  $('mute').querySelector('.text').textContent = phone.muted ? 'Unmute' : 'Mute';
  $('hold').setAttribute('aria-pressed', phone.held);
  $('hold').querySelector('.text').textContent = phone.held ? 'Resume' : 'Hold';
  $('levels').hidden = state !== 'talking';
  $('pad').hidden = !online || state === 'incoming' || !$('chat').hidden || !$('settings').hidden;
  $('problem').hidden = !phone.problem;
  $('problem-text').textContent = phone.problem ?? '';
  $('connect').disabled = state === 'connecting';
  $('login-status').textContent = state === 'connecting' ? 'Connecting …' : '';
  document.title = state === 'incoming' ? `☎ ${phone.peer} is calling` : 'tandem dialler';
}

function labelOf(jid) {
  const name = nameOf(jid, config.gateway);
  return label(name) || name;
}

function renderTexts() {
  $('chat-with').textContent = texts.open ? labelOf(texts.open.jid) : '';
  $('chat-call').hidden = !texts.open || texts.open.jid === config.gateway;
  showTexts($('log'), texts.open);
  showConversations($('conversations'), texts, labelOf, write);
  render();
}

function write(jid) {
  texts.look(jid);
  $('text').focus();
}

function closeSettings() {
  settings = null;
  render();
}

function openSettings() {
  settings = new Settings($('forms'), phone.client, config.gateway);
  settings.list();
  render();
}

function onMedia() {
  $('voice').srcObject = phone.remote;
  if (phone.remote) $('voice').play().catch(() => {});
  meters.own.show(phone.stream);
  meters.other.show(phone.remote);
}

function press(key) {
  if (phone.inCall) {
    phone.digit(key);
    $('digits').textContent += key;
  } else {
    $('to').value += key;
    $('to').focus();
  }
}

function buildPad() {
  for (const [key, letters] of KEYS) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'key';
    button.append(Object.assign(document.createElement('b'), { textContent: key }));
    button.append(Object.assign(document.createElement('small'), { textContent: letters }));
    button.setAttribute('aria-label', { '*': 'star', '#': 'hash' }[key] ?? key);
    button.addEventListener('click', () => press(key));
    $('pad').append(button);
  }
}

function buildNumbers() {
  for (const { number, label: text } of config.numbers ?? []) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'contact';
    button.append(Object.assign(document.createElement('b'), { textContent: text }),
      Object.assign(document.createElement('span'), { textContent: number }));
    button.addEventListener('click', () => call(number));
    $('numbers').append(button);
  }
}

function showQuality(said) {
  const parts = said ? [`${said.codec}${said.wideband ? ', wideband' : ''}`, said.word, said.why] : [];
  $('quality').textContent = parts.filter(Boolean).join(' · ');
  $('quality').dataset.word = said?.word ?? '';
}

async function call(to) {
  await wakeAudio();
  await phone.call(to);
}

$('login').addEventListener('submit', event => {
  event.preventDefault();
  wakeAudio();
  phone.login($('account').value, $('password').value);
});
$('dial').addEventListener('submit', event => {
  event.preventDefault();
  call($('to').value);
});
$('write').addEventListener('click', () => {
  if ($('to').value.trim()) write(phone.address($('to').value));
});
$('writing').addEventListener('submit', event => {
  event.preventDefault();
  texts.send($('text').value);
  $('text').value = '';
});
$('chat-close').addEventListener('click', () => texts.look(null));
$('chat-call').addEventListener('click', () => call(nameOf(texts.open.jid, config.gateway)));
$('settings-button').addEventListener('click', openSettings);
$('settings-close').addEventListener('click', closeSettings);
$('answer').addEventListener('click', async () => { await wakeAudio(); phone.answer(); });
$('decline').addEventListener('click', () => phone.hangup());
$('hangup').addEventListener('click', () => phone.hangup());
$('mute').addEventListener('click', () => phone.mute(!phone.muted));
$('hold').addEventListener('click', () => phone.hold(!phone.held));
$('logout').addEventListener('click', () => phone.logout());
$('dismiss').addEventListener('click', () => phone.change({ problem: null }));
document.addEventListener('keydown', event => {
  if (phone.state === 'talking' && /^[0-9*#]$/.test(event.key) && event.target.tagName !== 'INPUT') press(event.key);
});
phone.addEventListener('change', render);
phone.addEventListener('login', () => { texts.listen(phone.client); closeSettings(); });
texts.addEventListener('change', renderTexts);
phone.addEventListener('media', onMedia);
setInterval(() => phone.state === 'talking' && render(), 1000);
new QualityWatch(() => (phone.state === 'talking' ? phone.session?.pc : null), showQuality);

const [first] = config.accounts ?? [];
if (first) Object.assign($('account'), { value: first.account }) && Object.assign($('password'), { value: first.password });
$('gateway').textContent = config.gateway;
buildPad();
buildNumbers();
render();
document.body.dataset.loaded = 'yes';
