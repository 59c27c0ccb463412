// Fields of a form out of the JSON Schema of the scenario language.

import { lab } from './state.js';

/**
 * A field.
 * @typedef {object} Field
 * @property {string} name the key
 * @property {boolean} required
 * @property {'text'|'number'|'truth'|'choice'|'table'|'list'|'words'} kind
 * @property {string} help the description
 * @property {{value: any, help: string}[]} [options] for `choice`, and offers for `text`
 * @property {string} [pattern] for `text`
 * @property {boolean} [raw] whether a text that begins with `{` or `[` is TOML
 * @property {Field[]} [fields] of a table, or of each entry of a list
 */

/** The definition with this name: `When`. */
export const definition = (name) => lab.language?.$defs?.[name] ?? null;

/** A schema with its reference followed; what is said at the reference wins. */
function resolved(schema) {
  if (!schema.$ref) return schema;
  return { ...definition(schema.$ref.split('/').at(-1)), ...schema };
}

/** The name of the definition that a schema refers to. */
export const typeOf = (schema) => schema.$ref?.split('/').at(-1) ?? '';

/** The fields of a table's schema, in the order in which the language has them. */
export function fieldsOf(schema) {
  const table = resolved(schema);
  const required = new Set(table.required ?? []);
  const fields = Object.entries(table.properties ?? {}).map(([name, inner]) => field(name, inner, required.has(name)));
  return fields.sort((a, b) => Number(b.required) - Number(a.required));
}

/** The field of a key. @returns {Field} */
export function field(name, schema, required = false) {
  const of = resolved(schema);
  const made = { name, required, kind: 'text', help: of.description ?? '' };
  const offers = things(name, typeOf(schema), of);
  if (of.anyOf) return { ...made, raw: true };
  if (of.type === 'boolean') return { ...made, kind: 'truth' };
  if (of.type === 'object') return { ...made, kind: 'table', fields: fieldsOf(of) };
  if (of.type === 'array') return listField(made, of);
  if (of.oneOf) return { ...made, kind: 'choice', options: of.oneOf.map((one) => ({ value: one.const, help: one.description ?? '' })) };
  if (offers) return { ...made, kind: 'choice', options: offers };
  if (of.type === 'integer' || of.type === 'number') return { ...made, kind: 'number' };
  const words = alternatives(of.pattern);
  if (words) return { ...made, kind: 'choice', options: words };
  return { ...made, pattern: of.pattern, options: examples(name) };
}

function listField(made, of) {
  const items = resolved(of.items ?? {});
  if (items.type === 'object') return { ...made, kind: 'list', fields: fieldsOf(items) };
  return { ...made, kind: 'words' };
}

/** The words of a pattern such as `^(online|failed)$`. */
function alternatives(pattern) {
  const found = /^\^\(([a-z/|-]+)\)\$$/.exec(pattern ?? '');
  return found ? found[1].split('|').map((value) => ({ value, help: '' })) : null;
}

const option = (value) => ({ value, help: '' });

/** The lab's own things, where the language means one. */
function things(name, type, of) {
  const { status } = lab;
  if (!status) return null;
  const controllers = status.controllers.map((one) => one.controller);
  if (type === 'Controller') return controllers.map(option);
  const arrays = (status.arrays ?? []).map((one) => `array ${one.array}`);
  if (type === 'Part') return [...controllers.map((one) => `controller ${one}`), ...arrays, ...(arrays.length ? ['witness'] : [])].map(option);
  if (type === 'WholeArray') return arrays.map(option);
  if (type === 'Port') return status.controllers.flatMap((one) => one.ports.map((port) => option(port.port)));
  if (of.type !== 'integer') return null;
  if (name === 'lun' || /^Action: .*LUN with this number|this LUN number/.test(of.description)) return status.luns.map((one) => option(one.lun));
  if (name === 'hba' || name === 'reset_hba') return status.hbas.map((one) => option(one.hba));
  return null;
}

const OPERATIONS = [
  'READ', 'WRITE', 'medium', 'any', 'TEST UNIT READY', 'INQUIRY', 'MODE SELECT', 'MODE SENSE', 'START STOP UNIT',
  'SET TARGET PORT GROUPS', 'REPORT TARGET PORT GROUPS', 'REPORT LUNS', 'READ CAPACITY', 'SYNCHRONIZE CACHE',
  'PERSISTENT RESERVE IN', 'PERSISTENT RESERVE OUT', 'COMPARE AND WRITE', 'UNMAP', 'WRITE SAME',
];
const SENSES = [
  ['06/29/00', 'power on, reset or bus device reset occurred'],
  ['06/2a/01', 'mode parameters changed'],
  ['06/2a/06', 'asymmetric access state changed'],
  ['06/3f/0e', 'reported LUNs data has changed'],
  ['02/04/01', 'becoming ready'],
  ['02/04/0a', 'asymmetric access state transition'],
  ['02/04/0b', 'target port in standby state'],
  ['02/04/0c', 'target port in unavailable state'],
  ['05/94/01', 'rdac: the controller does not own the LUN'],
  ['03/11/00', 'unrecovered read error'],
  ['04/44/00', 'internal target failure'],
];
const FUNCTIONS = ['any', 'ABORT TASK', 'LOGICAL UNIT RESET', 'I_T NEXUS RESET', 'QUERY TASK'];

/** What is offered for a key whose values cannot be listed. */
function examples(name) {
  if (name === 'op') return OPERATIONS.map(option);
  if (name === 'sense') return SENSES.map(([value, help]) => ({ value, help }));
  if (name === 'task_management') return FUNCTIONS.map(option);
  if (name === 'page') return ['standard', '80', '83', 'c9', 'c0', 'c8'].map(option);
  if (name === 'message') return ['switch_group 1', 'switch_group 2', 'disable_group 1', 'enable_group 1', 'queue_if_no_path', 'fail_if_no_path', 'reinstate_path {disk:A0}', 'fail_path {disk:A0}'].map(option);
  if (['arm', 'disarm'].includes(name)) return (lab.status?.faults ?? []).map((one) => option(one.name));
  if (['delay', 'every', 'lasts', 'after', 'from', 'until'].includes(name)) return ['10ms', '500ms', '1s', '5s', '30s'].map(option);
  if (name === 'size' || name === 'short') return ['512B', '4KiB', '256MiB', '1GiB'].map(option);
  if (name === 'state') return (lab.status?.controllers ?? []).flatMap((one) => ['online', 'failed', 'booting'].map((state) => option(`${one.controller} ${state}`)));
  return undefined;
}
