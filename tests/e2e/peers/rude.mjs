#!/usr/bin/env node
// SPDX-License-Identifier: AGPL-3.0-or-later
// rude.mjs - the phone of wrtc.mjs, which makes one mistake a call: `call TO
// WHAT`, a name of MISTAKES; "direct WHAT" calls without a propose.
import { fileURLToPath } from 'node:url';
import { xml } from '@xmpp/client';
import { Call, Phone, report, run } from './wrtc.mjs';
import { NS, child, children, contents } from './jingle.mjs';

const INITIATE = 'session-initiate';
const content = j => contents(j)[0];
const description = j => child(content(j), 'description');
const fingerprint = j => child(child(content(j), 'transport'), 'fingerprint');

// what is done to a request before it goes out
const MISTAKES = {
  'setup-decided': j => { if (j.attrs.action === INITIATE) fingerprint(j).attrs.setup = 'active'; },
  'long-name': j => {
    const group = child(j, 'group');
    for (const c of [content(j), ...(group ? children(group, 'content') : [])]) c.attrs.name = 'a-name-of-17-long';
  },
  'no-group': j => { j.children = j.children.filter(c => c.name !== 'group'); },
  'no-clockrate': j => {
    if (j.attrs.action === INITIATE) children(description(j), 'payload-type').forEach(p => { delete p.attrs.clockrate; });
  },
  'senders-none': j => { if (j.attrs.action === INITIATE) content(j).attrs.senders = 'none'; },
  'without-propose': () => {},
  'errors': () => {},      // answers every request with one
  'other-content': () => {}, // these two come when the call has been accepted
  'other-ufrag': () => {},
};

class RudeCall extends Call {
  mistake = this.phone.mistake;

  begin() {
    if (!this.phone.direct) return super.begin();
    this.report('dialled', { to: this.peer });
    return this.initiate();
  }

  request(jingle) {
    if (contents(jingle).length) MISTAKES[this.mistake](jingle);
    return super.request(jingle);
  }

  info(name, ufrag) {
    return this.jingle('transport-info', xml('content', { creator: 'initiator', name },
      xml('transport', { xmlns: NS.ICE, ufrag, pwd: 'hG5xQ0bT8nL3vK7rY2mW9sDj' })));
  }

  on_accept(jingle) {
    if (this.mistake === 'other-content') return this.info('other', 'kZ3p');
    if (this.mistake === 'other-ufrag') return this.info(this.offered[0], 'kZ3p');
    return super.on_accept(jingle);
  }
}

class RudePhone extends Phone {
  newCall(sid, peer, isCaller) { return new RudeCall(this, sid, peer, isCaller); }

  on_jingle_iq(context) {
    if (this.mistake !== 'errors') return super.on_jingle_iq(context);
    report('refused-request', { action: context.element.attrs.action });
    return xml('error', { type: 'cancel' }, xml('service-unavailable', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' }));
  }

  obey(command) {
    if (command.command === 'call') {
      this.direct = command.what.startsWith('direct ');
      this.mistake = command.what.replace('direct ', '');
      if (!(this.mistake in MISTAKES)) throw new Error(`no such mistake: ${this.mistake}`);
    }
    return super.obey(command);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(new RudePhone());
