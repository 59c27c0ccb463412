// Doing steps, and saying what was done.

import { post, remove } from './api.js';
import { at, h } from './dom.js';
import { clock, ended } from './format.js';
import { notice } from './notices.js';
import { expectChange, lab, on, settle } from './state.js';
import { ctl, lines, oneLine } from './toml.js';

/** Does a step: a table of the language. Its thing is marked at once. What is refused is thrown. */
export async function act(step, thing) {
  return carryOut(thing, () => post('/api/acts', { steps: [{ toml: lines(step) }] }), { toml: oneLine(step), ctl: ctl(step) });
}

/** Does what undoes something: a `Told`, as the lab gave it. */
const undo = (told, thing) =>
  carryOut(thing, () => post('/api/acts', { steps: [{ toml: told.toml }] }), told);

async function carryOut(thing, ask, told) {
  expectChange(thing);
  show({ t: null, ...told });
  try {
    const { did } = await ask();
    did?.forEach(report);
    return did;
  } catch (error) {
    show({ t: null, ...told, refused: true });
    throw error;
  } finally {
    setTimeout(() => settle(thing), 150);
  }
}

/** Says what came of an act. */
function report(did) {
  show(did);
  if (did.warning) notice('note', did.warning);
  if (did.error) notice('bad', `${did.words}: ${did.error}`);
  if (did.ran) notice(did.ran.code === 0 ? 'note' : 'bad', `${did.words}: ${ranWords(did.ran)}`);
}

/** What a program brought, in words: its exit code and its output. */
export const ranWords = (ran) =>
  `${ended(ran)}\n${ran.stdout}${ran.stderr}`;

/** Removes a fault rule that was added. */
export async function removeFault(name) {
  expectChange(`fault ${name}`);
  show({ t: null, ctl: `sansim ctl fault remove ${name}`, toml: '' });
  try {
    await remove(`/api/faults/${encodeURIComponent(name)}`);
  } finally {
    settle(`fault ${name}`);
  }
}

/** What undoes something that is broken, as the lab says it, or null. */
export const undoOf = (broken) =>
  broken.undo && { ...broken.undo, run: () => undo(broken.undo, broken.thing) };

/** The line at the bottom: the last act as command and as step. */
function show({ t, ctl: command, toml, pending, refused }) {
  at('last').replaceChildren(
    h('span', { class: 'time' }, refused ? '✕' : t === null ? '…' : clock(t)),
    h('code', { class: 'command' }, `$ ${command}`),
    toml ? h('code', { class: 'toml' }, toml) : '',
    refused ? h('span', { class: 'tag bad' }, 'refused') : '',
    pending ? h('span', { class: 'tag' }, lab.status?.held.on ? 'held' : 'running') : '',
  );
}

/** Shows the lab's own last act, also if somebody else did it. */
export function start() {
  let known = '';
  on('status', ({ history }) => {
    const last = history.at(-1);
    const key = last ? `${last.t} ${last.name}` : '';
    if (key === known) return;
    known = key;
    if (last) show(last);
  });
}
