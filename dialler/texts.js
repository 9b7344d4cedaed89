// SPDX-License-Identifier: AGPL-3.0-or-later
// texts.js - what is written to and by numbers, and the gateway itself: a conversation with
// each, as long as the page is open.
//
// A text of ours is "sending" until the server has it, then "sent"; "delivered" when a receipt
// (XEP-0184) came, "failed" with words when it came back.
//
// Events: "change" whenever something that is shown has changed.

import { element } from './settings.js';

const MAX_TEXTS = 500; // of a conversation; the oldest go

const bare = jid => jid.split('/')[0].toLowerCase();

export class Texts extends EventTarget {
  conversations = new Map(); // bare JID → { jid, texts: [{ id, mine, body, at, state, why }], unread }
  open = null; // the one that is looked at

  constructor(gateway) {
    super();
    this.gateway = gateway;
  }

  changed() { this.dispatchEvent(new Event('change')); }

  // Of a new login.
  listen(client) {
    this.client = client;
    this.conversations.clear();
    this.open = null;
    client.on('message', message => this.onMessage(message));
    client.on('message:acked', message => this.mark(message.id, 'sent'));
    client.on('receipt', message => this.mark(message.receipt.id, 'delivered'));
    client.on('message:error', message => this.mark(message.id, 'failed', message.error?.text || message.error?.condition));
    client.on('message:failed', message => this.mark(message.id, 'failed', 'The server cannot be reached.'));
    this.changed();
  }

  isOurs(jid) { return jid === this.gateway || jid.endsWith(`@${this.gateway}`); }

  with(jid) {
    const key = bare(jid);
    if (!this.conversations.has(key)) this.conversations.set(key, { jid: key, texts: [], unread: 0 });
    return this.conversations.get(key);
  }

  add(conversation, text) {
    conversation.texts.push(text);
    if (conversation.texts.length > MAX_TEXTS) conversation.texts.shift();
    // the one of which something was heard last comes first
    this.conversations.delete(conversation.jid);
    this.conversations.set(conversation.jid, conversation);
  }

  onMessage(message) {
    const { body, from, id, delay } = message;
    if (!body || !from || message.type === 'error' || !this.isOurs(bare(from))) return;
    const conversation = this.with(from);
    // the same one again, after a connection was lost
    if (id && conversation.texts.some(text => !text.mine && text.id === id)) return;
    this.add(conversation, { id, mine: false, body, at: delay?.timestamp ?? new Date() });
    if (conversation !== this.open) conversation.unread += 1;
    this.changed();
  }

  // A receipt may overtake what the server says.
  mark(id, state, why) {
    for (const { texts } of this.conversations.values()) {
      const text = id && texts.find(one => one.mine && one.id === id);
      if (!text || (state === 'sent' && text.state !== 'sending')) continue;
      Object.assign(text, { state, why });
      this.changed();
    }
  }

  send(body) {
    if (!this.open || !body.trim()) return;
    const id = crypto.randomUUID();
    this.add(this.open, { id, mine: true, body: body.trim(), at: new Date(), state: 'sending' });
    this.client.sendMessage({ id, originId: id, to: this.open.jid, type: 'chat', body: body.trim(), receipt: { type: 'request' } });
    this.changed();
  }

  look(jid) {
    this.open = jid ? this.with(jid) : null;
    if (this.open) this.open.unread = 0;
    this.changed();
  }
}

// --- how it is shown ---

const STATES = { sending: 'sending …', sent: 'sent', delivered: 'delivered', failed: 'not delivered' };

export const nameOf = (jid, gateway) => (jid === gateway ? 'The gateway' : jid.split('@')[0]);

function showText({ mine, body, at, state, why }) {
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const said = element('p', { className: 'said' }, body);
  const about = element('small', {}, [time, STATES[state], why].filter(Boolean).join(' · '));
  const item = element('li', { className: mine ? 'mine' : 'theirs' }, said, about);
  item.dataset.state = state ?? '';
  return item;
}

export function showTexts(log, conversation) {
  log.replaceChildren(...(conversation?.texts ?? []).map(showText));
  log.scrollTop = log.scrollHeight;
}

// Newest first, a button each; `label` names a JID.
export function showConversations(list, texts, label, open) {
  list.replaceChildren(...[...texts.conversations.values()].filter(one => one.texts.length).reverse().map(one => {
    const button = element('button', { type: 'button', className: 'contact' }, element('b', {}, label(one.jid)),
      element('span', {}, one.texts.at(-1).body));
    if (one.unread) button.append(element('em', { ariaLabel: `${one.unread} unread` }, String(one.unread)));
    button.addEventListener('click', () => open(one.jid));
    return button;
  }));
}
