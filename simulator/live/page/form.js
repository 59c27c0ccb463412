// Inputs for fields of the language, and what they say as a table.

import { button, h } from './dom.js';
import { Raw } from './toml.js';

let number = 0;
const unique = (stem) => `${stem}-${(number += 1)}`;

/**
 * An input for a field.
 * @param {import('./schema.js').Field} field
 * @param {any} given what it shows first
 * @param {() => void} changed called after each change
 * @returns {{node: Node, read: () => any}} `read` gives undefined if nothing is said
 */
export function input(field, given, changed) {
  const make = { truth, choice, table, list, number: typed, text: typed, words }[field.kind];
  return make(field, given, changed);
}

function labelled(field, control, more) {
  control.id = unique('field');
  return h('label', { class: 'field', for: control.id, title: field.help },
    h('span', { class: 'key' }, field.name), control, more);
}

function choice(field, given, changed) {
  const options = field.options.map((one) =>
    h('option', { value: one.value, selected: String(one.value) === String(given), title: one.help || null }, String(one.value)));
  if (!field.required) options.unshift(h('option', { value: '' }, '–'));
  const control = h('select', { onchange: changed, 'data-key': field.name }, options);
  const read = () => field.options.find((one) => String(one.value) === control.value)?.value;
  return { node: labelled(field, control), read };
}

function truth(field, given, changed) {
  const known = { ...field, options: [{ value: true, help: '' }, { value: false, help: '' }] };
  return choice(known, given, changed);
}

function typed(field, given, changed) {
  const offers = field.options?.length ? h('datalist', { id: unique('offers') },
    field.options.map((one) => h('option', { value: one.value }, one.help))) : null;
  const control = h('input', {
    type: 'text', value: given, oninput: changed, list: offers?.id, autocomplete: 'off', spellcheck: 'false',
    pattern: field.pattern, placeholder: field.placeholder ?? placeholder(field), 'data-key': field.name,
    inputmode: field.kind === 'number' ? 'decimal' : null,
  });
  const read = () => {
    const text = control.value.trim();
    if (text === '') return undefined;
    if (field.kind === 'number') return Number.isFinite(Number(text)) ? Number(text) : text;
    if (field.raw && /^[{["]/.test(text)) return new Raw(text);
    return text;
  };
  return { node: labelled(field, control, offers), read };
}

/** An example out of the description: `such as "250ms"`. */
const placeholder = (field) => /"([^"]+)"/.exec(field.help)?.[1] ?? null;

function words(field, given, changed) {
  const one = typed({ ...field, kind: 'text', placeholder: 'words, as for a shell' }, given?.join(' '), changed);
  const read = () => {
    const text = one.read();
    return text === undefined ? undefined : split(text);
  };
  return { node: one.node, read };
}

/** The words of a line; quotes keep spaces together. */
const split = (text) =>
  [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain);

/** A table in a table. */
function table(field, given, changed) {
  const inner = fieldset(field.fields, given ?? {}, changed);
  return { node: h('fieldset', { title: field.help }, h('legend', {}, field.name), inner.node), read: inner.read };
}

/** A list of tables, which grows. */
function list(field, given, changed) {
  const rows = [];
  const place = h('div', { class: 'rows' });
  const add = (one) => {
    const row = fieldset(field.fields, one, changed);
    const node = h('div', { class: 'row' }, row.node, button('✕', () => {
      rows.splice(rows.findIndex((other) => other.node === node), 1);
      node.remove();
      changed();
    }, { 'aria-label': `Remove this entry of ${field.name}`, class: 'plain' }));
    rows.push({ node, read: row.read });
    place.append(node);
  };
  for (const one of given ?? [{}]) add(one);
  const more = button(`+ ${field.name}`, () => {
    add({});
    changed();
  }, { class: 'plain' });
  const read = () => rows.map((row) => row.read() ?? {});
  return { node: h('fieldset', { title: field.help }, h('legend', {}, field.name), place, more), read };
}

/** Inputs below each other, read as a table. */
export function fieldset(fields, given, changed) {
  const inputs = fields.map((field) => [field.name, input(field, given[field.name], changed)]);
  const read = () => {
    const said = inputs.map(([name, one]) => [name, one.read()]).filter(([, value]) => value !== undefined);
    return said.length ? Object.fromEntries(said) : undefined;
  };
  return { node: h('div', { class: 'fields' }, inputs.map(([, one]) => one.node)), read };
}
