// The workloads: what runs on each LUN, and starting, stopping, changing.

import { post } from './api.js';
import { at, button, h, perFrame } from './dom.js';
import { fieldset } from './form.js';
import { count, lasting } from './format.js';
import { clearError, errorAt } from './notices.js';
import { definition, fieldsOf } from './schema.js';
import { lab, now, on } from './state.js';
import { ctlWorkload, lines } from './toml.js';

let list;

/** Fills the pane. */
export function start() {
  list = h('div', { id: 'workloads' });
  const place = h('div');
  at('work').append(list, place);
  on('language', () => place.replaceChildren(form()));
  const draw = perFrame(show);
  on('status', draw);
}

/** Shows the workloads, if their pane is open. */
export function show() {
  if (at('work').hidden || !lab.status) return;
  const focused = document.activeElement?.closest?.('#workloads button')?.id;
  const { workloads } = lab.status;
  list.replaceChildren(workloads.length ? table(workloads) : h('p', { class: 'empty' }, 'No workload runs.'));
  if (focused) at(focused)?.focus();
}

const table = (workloads) => h('table', {},
  h('tr', {}, ['LUN', 'state', 'reads', 'writes', 'errors', 'corrupt', 'settings', ''].map((name) => h('th', {}, name))),
  workloads.map(row));

function row(of) {
  const stalled = of.stalled_since === null ? null : `no I/O for ${lasting(now() - of.stalled_since)}`;
  const bad = (n) => ({ class: n ? 'number bad' : 'number' });
  return h('tr', { 'data-workload': of.lun },
    h('td', {}, of.lun),
    h('td', { class: stalled ? 'bad' : null }, stalled ?? (of.running ? '▶ running' : '■ stopped')),
    h('td', { class: 'number' }, count(of.reads)),
    h('td', { class: 'number' }, count(of.writes)),
    h('td', bad(of.errors), of.errors),
    h('td', bad(of.corrupt), of.corrupt),
    h('td', {}, h('code', { class: 'toml' }, of.toml)),
    h('td', {}, of.running ? button('Stop', (event) => stop(of.lun, event), { id: `work-stop-${of.lun}`, title: `sansim ctl io stop ${of.lun}` }) : null));
}

async function stop(lun) {
  clearError(at('work'));
  try {
    await post('/api/io', { stop: { lun } });
  } catch (error) {
    errorAt(at('work'), error);
  }
}

/** The form that starts a workload or replaces the one on its LUN. */
function form() {
  const fields = fieldsOf({ $ref: `#/$defs/${definition('Start') ? 'Start' : 'Workload'}` }).filter((one) => one.name !== 'start');
  const toml = h('pre', { class: 'toml' });
  const command = h('code', { class: 'command' });
  const inputs = fieldset(fields, { lun: lab.status?.luns[0]?.lun, rate: 200 }, preview);
  function preview() {
    toml.textContent = lines(inputs.read() ?? {});
    command.textContent = `$ ${ctlWorkload(inputs.read() ?? {})}`;
  }
  preview();
  const made = h('form', {
    novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      clearError(made);
      try {
        await post('/api/io', { start: { toml: lines(inputs.read() ?? {}) } });
      } catch (error) {
        errorAt(made, error);
      }
    },
  }, h('h3', {}, 'Start a workload, or replace the one on its LUN'), inputs.node, toml, h('div', { class: 'tools' }, h('button', { class: 'do', id: 'work-start' }, 'Start'), command));
  return made;
}
