// What is done to the lab as a whole: hold and go, reset, capture, save, end.

import { undoOf } from './acts.js';
import { post } from './api.js';
import { at, button, change, dialog, h, perFrame, say } from './dom.js';
import { lasting, many, size } from './format.js';
import { errorAt, notice } from './notices.js';
import { lab, now, on } from './state.js';
import { openSave } from './save.js';
import { ended } from './stream.js';

let hold;
let go;
let capture;
let file;

/** Fills the buttons and the lists of what is broken and held. */
export function start() {
  hold = button('Hold', holdOrGo, { id: 'hold', title: 'Collect acts, and do them at one time (h)' });
  go = button('Go', holdOrGo, { id: 'go', title: 'Do the held acts (h)', hidden: true });
  capture = button('Capture', toggleCapture, { id: 'capture', title: 'Record the commands for Wireshark', 'aria-pressed': 'false' });
  file = h('a', { id: 'capture-file', href: '/api/capture.pcapng', download: 'sansim.pcapng', hidden: true }, 'pcapng');
  at('whole').append(
    hold, go,
    button('Reset', openReset, { id: 'reset', title: 'Undo everything that is broken (r)' }),
    capture, file,
    button('Save', openSave, { id: 'save', title: 'The story so far as a scenario (s)' }),
    button('End', openEnd, { id: 'end', title: 'End the lab' }),
  );
  const draw = perFrame(show);
  on('status', draw);
  on('pending', draw);
  setInterval(draw, 500);
}

/** Asks for something, and shows what is refused. */
async function ask(path, body) {
  try {
    return await post(path, body);
  } catch (error) {
    notice('bad', error.message);
    return null;
  }
}

/** Begins to hold acts, or does those that are held. */
export const holdOrGo = () => ask(lab.status?.held.on ? '/api/go' : '/api/hold');

const toggleCapture = () => ask('/api/capture', { on: !lab.status?.capture });

function show() {
  const { status } = lab;
  if (!status) return;
  const { held, capture: recorded } = status;
  hold.hidden = held.on;
  go.hidden = !held.on;
  say(go, `Go (${held.acts.length})`);
  change(capture, { 'aria-pressed': String(Boolean(recorded)) });
  file.hidden = !recorded;
  if (recorded) say(file, `pcapng ${size(recorded.bytes)}${recorded.full ? ', full' : ''}`);
  showHeld(held);
  showBroken(status.broken);
}

function showHeld(held) {
  at('held').hidden = !held.on;
  if (!held.on) return;
  say(at('held-title'), held.acts.length ? `Held: ${many(held.acts.length, 'act')}` : 'Held: what you do now waits for Go');
  at('held-acts').replaceChildren(...held.acts.map((one) => h('li', { title: one.ctl }, h('code', {}, one.toml))));
}

function showBroken(broken) {
  const list = at('broken');
  const seen = JSON.stringify([broken, broken.map((one) => [lasting(now() - one.since), lab.pending.has(one.thing)])]);
  if (list.seen === seen) return;
  list.seen = seen;
  say(at('broken-title'), broken.length ? `Broken now: ${broken.length}` : 'Broken now');
  const focused = document.activeElement?.closest?.('#broken li')?.dataset.of;
  list.replaceChildren(...(broken.length ? broken.map(item) : [h('p', { class: 'empty' }, 'Nothing. Click a thing in the picture to break it.')]));
  if (focused) [...list.children].find((one) => one.dataset.of === focused)?.querySelector('button')?.focus();
}

function item(of) {
  const mend = undoOf(of);
  const run = async (event) => {
    const place = event.currentTarget.closest('li');
    try {
      await mend.run();
    } catch (error) {
      errorAt(place, error);
    }
  };
  return h('li', { 'data-of': of.thing, 'data-pending': lab.pending.has(of.thing) },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, '✕'),
    h('span', { class: 'what' }, of.what, ' ', h('span', { class: 'since' }, lasting(now() - of.since))),
    mend ? button('Undo', run, { title: `${mend.ctl}\n${mend.toml}`, 'aria-label': `Undo: ${of.what}` }) : null);
}

/** Asks before everything is undone, and shows what that is. */
export function openReset() {
  const broken = lab.status?.broken ?? [];
  const rules = (lab.status?.faults ?? []).filter((one) => one.added && !broken.some((other) => other.thing === `fault ${one.name}`));
  const box = dialog('Reset: everything as it was at the start',
    broken.length + rules.length ? h('ul', { class: 'undoes' },
      broken.map((one) => h('li', {}, one.what, one.undo ? h('code', {}, one.undo.ctl) : h('span', { class: 'small' }, 'has no undo of its own'))),
      rules.map((one) => h('li', {}, `fault ${one.name} is removed`, h('code', {}, one.toml))))
      : h('p', {}, 'Nothing is broken.'),
    h('p', {}, h('code', { class: 'command' }, '$ sansim ctl reset')),
    button('Reset', async () => {
      try {
        await post('/api/reset');
        box.close();
      } catch (error) {
        errorAt(box, error);
      }
    }, { class: 'do', id: 'reset-do', autofocus: true }));
}

function openEnd() {
  const box = dialog('End the lab',
    h('p', {}, 'The guest stops. What was recorded stays in ', h('code', {}, lab.status?.lab.directory ?? 'its directory'), '.'),
    h('p', {}, h('code', { class: 'command' }, `$ sansim down ${lab.status?.lab.name ?? ''}`)),
    button('End the lab', async () => {
      try {
        await post('/api/down');
        ended();
        box.close();
      } catch (error) {
        errorAt(box, error);
      }
    }, { class: 'do danger', id: 'end-do' }));
}
