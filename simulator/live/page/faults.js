// The fault rules: those that there are, and a form for another one, in the words of the language.

import { act, removeFault } from './acts.js';
import { post } from './api.js';
import { at, button, h, perFrame } from './dom.js';
import { input } from './form.js';
import { lasting } from './format.js';
import { clearError, errorAt, notice } from './notices.js';
import { definition, fieldsOf } from './schema.js';
import { lab, now, on } from './state.js';
import { ctl, ctlFault, lines } from './toml.js';

/** The keys that the form shows at first. */
const FIRST = { when: ['op', 'controller', 'first'], then: ['sense'] };

let rules;

/** Fills the pane. */
export function start() {
  rules = h('ul', { id: 'rules' });
  const place = h('div', { id: 'rule-form' });
  at('faults').append(rules, place);
  on('language', () => place.replaceChildren(form()));
  const draw = perFrame(show);
  on('status', draw);
  setInterval(draw, 1000);
}

/** Shows the rules, if their pane is open. */
export function show() {
  const faults = lab.status?.faults ?? [];
  const seen = JSON.stringify([faults, faults.map((one) => lasting(now() - one.since))]);
  if (rules.seen === seen || at('faults').hidden) return;
  rules.seen = seen;
  const focused = document.activeElement?.closest?.('#rules button')?.dataset.act;
  rules.replaceChildren(...(faults.length ? faults.map(rule) : [h('li', { class: 'empty' }, 'No rules. A rule catches commands and answers, delays, loses or spoils them.')]));
  if (focused) rules.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
}

/** A rule with what it has done. */
function rule(of) {
  const run = (what) => async (event) => {
    const place = event.target.closest('li');
    try {
      await what();
    } catch (error) {
      errorAt(place, error);
    }
  };
  const arm = of.armed ? 'disarm' : 'arm';
  return h('li', { 'data-rule': of.name, 'data-state': of.armed ? 'armed' : 'off' },
    h('span', { class: 'mark' }, of.armed ? '◉' : '○'),
    h('strong', {}, of.name),
    h('span', { class: 'fired' }, `fired ${of.fired}`),
    h('span', { class: 'small' }, `${of.armed ? 'armed' : 'off'}, ${lasting(now() - of.since)}`),
    h('span', { class: 'tools' },
      button(of.armed ? 'Disarm' : 'Arm', run(() => act({ [arm]: of.name }, `fault ${of.name}`)), { 'data-act': `${arm} ${of.name}`, title: ctl({ [arm]: of.name }) }),
      of.added ? button('Remove', run(() => removeFault(of.name)), { 'data-act': `remove ${of.name}` }) : null),
    h('code', { class: 'toml' }, of.toml));
}

/** The form for another rule. */
function form() {
  const name = h('input', { type: 'text', id: 'rule-name', oninput: () => preview(), placeholder: 'fault-1', autocomplete: 'off' });
  const whens = part('when', 'When', preview);
  const thens = part('then', 'Then', preview);
  const toml = h('pre', { class: 'toml', id: 'rule-toml' });
  const command = h('code', { class: 'command', id: 'rule-ctl' });
  const table = () => ({
    ...(name.value.trim() ? { name: name.value.trim() } : {}),
    ...(whens.read() ? { when: whens.read() } : {}),
    then: thens.read() ?? {},
  });
  function preview() {
    toml.textContent = `[[fault]]\n${lines(table())}`;
    command.textContent = `$ ${ctlFault(table())}`;
  }
  const made = h('form', {
    novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      clearError(made);
      try {
        const { warning } = await post('/api/faults', { toml: lines(table()) });
        if (warning) notice('note', warning);
        name.value = '';
        preview();
        // The new rule is above the form.
        at('faults').scrollTop = 0;
      } catch (error) {
        errorAt(made, error);
      }
    },
  },
  h('div', { class: 'tools' }, h('h3', {}, 'Another rule'),
    h('label', { class: 'field', for: 'rule-name' }, h('span', { class: 'key' }, 'name'), name),
    h('button', { class: 'do', id: 'rule-add' }, 'Add the rule')),
  h('div', { class: 'halves' }, whens.node, thens.node),
  toml, command);
  preview();
  return made;
}

/** One half of a rule: a table whose keys are chosen one by one. */
function part(word, title, changed) {
  const fields = fieldsOf({ $ref: `#/$defs/${word === 'when' ? 'When' : 'Then'}` });
  const used = new Map();
  const place = h('div', { class: 'fields' });
  const more = h('select', { 'aria-label': `Add a key to ${word}`, 'data-add': word, onchange: () => take(more.value) });
  const offer = () => more.replaceChildren(
    h('option', { value: '' }, `+ ${word} …`),
    ...fields.filter((one) => !used.has(one.name)).map((one) => h('option', { value: one.name, title: one.help }, one.name)));
  const take = (key) => {
    const field = fields.find((one) => one.name === key);
    if (!field) return;
    const one = input(field, START[key], changed);
    const row = h('div', { class: 'row' }, one.node, button('✕', () => {
      used.delete(key);
      row.remove();
      offer();
      changed();
    }, { class: 'plain', 'aria-label': `Remove ${key}` }));
    used.set(key, one);
    place.append(row);
    offer();
  };
  FIRST[word].forEach(take);
  offer();
  more.addEventListener('change', () => {
    changed();
    place.lastElementChild?.querySelector('input, select')?.focus();
  });
  const read = () => {
    const said = [...used].map(([key, one]) => [key, one.read()]).filter(([, value]) => value !== undefined);
    return said.length ? Object.fromEntries(said) : undefined;
  };
  return { node: h('fieldset', {}, h('legend', { title: definition(word === 'when' ? 'When' : 'Then')?.description }, title), place, more), read };
}

/** What the form says at first: a rule that delays pg_init. */
const START = { op: 'MODE SELECT', first: 2, sense: '06/2a/01' };
