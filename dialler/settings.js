// SPDX-License-Identifier: AGPL-3.0-or-later
// settings.js - the forms of the gateway (XEP-0050, XEP-0004), drawn as they come: the page
// knows no setting by name.

const NAMES = { execute: 'Continue', next: 'Next', prev: 'Back', complete: 'Save' };
const INPUTS = { 'text-private': 'password', boolean: 'checkbox' };

export function element(kind, properties, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

function button(text, press, className = '') {
  const made = element('button', { type: 'button', className }, text);
  made.addEventListener('click', press);
  return made;
}

const lines = value => (Array.isArray(value) ? value : [value ?? '']).map(String);

function chooser(field, many) {
  const chosen = new Set(lines(field.value));
  const select = element('select', { multiple: many, required: Boolean(field.required) });
  if (!many && !field.required) select.append(element('option', { value: '' }, '–'));
  for (const { label, value } of field.options ?? [])
    select.append(element('option', { value, selected: chosen.has(String(value)) }, label ?? value));
  return select;
}

// [what is shown, how to read its value]
function control(field) {
  const required = Boolean(field.required), value = lines(field.value).join('\n');
  if (field.type === 'list-single' || field.type === 'list-multi') {
    const select = chooser(field, field.type === 'list-multi');
    return [select, () => (select.multiple ? [...select.selectedOptions].map(option => option.value) : select.value)];
  }
  if (field.type === 'text-multi' || field.type === 'jid-multi') {
    const area = element('textarea', { value, required, rows: 4 });
    return [area, () => area.value.split('\n').filter(Boolean)];
  }
  const input = element('input', { type: INPUTS[field.type] ?? 'text', required: required && field.type !== 'boolean' });
  if (field.type === 'boolean') {
    input.checked = field.value === true;
    return [input, () => input.checked];
  }
  input.value = value;
  return [input, () => input.value];
}

function showField(field) {
  if (field.type === 'fixed') return [element('p', { className: 'fixed' }, lines(field.value).join('\n'))];
  const [shown, read] = control(field);
  shown.name = field.name ?? '';
  const label = element('label', { className: field.type === 'boolean' ? 'check' : '' },
    field.type === 'boolean' ? shown : '', field.label ?? field.name ?? '', field.type === 'boolean' ? '' : shown);
  if (field.description) label.append(element('small', {}, field.description));
  return [label, () => ({ name: field.name, type: field.type, value: read() })];
}

function showResult({ reported = [], items = [] }) {
  if (!items.length) return '';
  const head = element('tr', {}, ...reported.map(field => element('th', {}, field.label ?? field.name)));
  const rows = items.map(({ fields }) => element('tr', {}, ...reported.map(({ name }) =>
    element('td', {}, lines(fields.find(field => field.name === name)?.value).join(', ')))));
  return element('table', {}, head, ...rows);
}

export class Settings {
  constructor(place, client, gateway) {
    Object.assign(this, { place, client, gateway });
  }

  show(...children) { this.place.replaceChildren(...children); }

  fail(error) {
    const { text, condition } = error?.error ?? {};
    this.show(element('p', { className: 'warn' }, text || condition || 'The gateway does not answer.'), button('Back', () => this.list()));
  }

  // Each is a button; none: the gateway has no forms for this account.
  async list() {
    this.show(element('p', { role: 'status' }, 'Asking the gateway …'));
    try {
      const { items = [] } = await this.client.getCommands(this.gateway);
      if (!items.length) return void this.show(element('p', {}, 'The gateway has no settings for you here.'));
      this.show(...items.map(({ node, name }) => button(name ?? node, () => this.say({ node, action: 'execute' }), 'contact')));
    } catch (error) {
      this.fail(error);
    }
    return undefined;
  }

  async say(command) {
    try {
      const answer = await this.client.sendIQ({ type: 'set', to: this.gateway, command });
      this.draw(answer.command);
    } catch (error) {
      this.fail(error);
    }
  }

  // Whatever it answers.
  async cancel(command) {
    await this.client.sendIQ({ type: 'set', to: this.gateway, command }).catch(() => {});
    await this.list();
  }

  draw({ node, sid, status, form = {}, notes = [], availableActions = {} }) {
    const fields = (form.fields ?? []).filter(field => field.type !== 'hidden').map(field =>
      (form.type === 'result' && field.type !== 'fixed' ? [element('p', { className: 'result' }, element('b', {}, field.label ?? field.name ?? ''), ' ',
        lines(field.value).join('\n'))] : showField(field)));
    const hidden = (form.fields ?? []).filter(field => field.type === 'hidden');
    const values = () => [...hidden, ...fields.map(([, read]) => read?.()).filter(Boolean)];
    const drawn = element('form', { className: 'form' });
    const answer = action => (action === 'prev' || drawn.reportValidity()) && this.say({ node, sid, action, form: { type: 'submit', fields: values() } });
    const usual = availableActions.execute || (availableActions.next ? 'next' : 'complete');
    drawn.append(element('h2', {}, form.title ?? ''), ...lines(form.instructions).filter(Boolean).map(text => element('p', {}, text)),
      ...notes.map(({ type, value }) => element('p', { className: type === 'info' || !type ? 'note' : 'warn' }, value ?? '')),
      ...fields.map(([shown]) => shown), showResult(form));
    drawn.addEventListener('submit', event => { event.preventDefault(); answer(usual); });
    const actions = element('div', { className: 'actions' });
    if (status === 'executing') {
      const offered = ['prev', 'next', 'complete'].filter(action => availableActions[action] || action === usual);
      actions.append(button('Cancel', () => this.cancel({ node, sid, action: 'cancel' })));
      for (const action of offered) actions.append(button(NAMES[action], () => answer(action), action === usual ? 'primary' : ''));
    } else {
      actions.append(button('Back to the settings', () => this.list()));
    }
    drawn.append(actions);
    this.show(drawn);
  }
}
