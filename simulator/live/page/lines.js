// An event as a line of the stream. Pure.

import { ended, latency } from './format.js';

/** The kinds of line that can be shown or left out, with their names. */
export const KINDS = {
  act: 'acts',
  state: 'states',
  path: 'paths',
  command: 'commands',
  io: 'I/O',
  kernel: 'kernel',
  multipathd: 'daemons',
};

const OF = {
  command: 'command', state: 'state', begun: 'act', step: 'act', ran: 'act', expect: 'act', verdict: 'act', path: 'path', table: 'path',
  group: 'path', disk: 'path', map: 'path', incomplete: 'path', pg_init: 'path', uevent: 'path', io: 'io', multipathd: 'multipathd',
};

/**
 * The line of an event.
 * @returns {{t: number, kind: string, tag: string, text: string, bad: boolean}}
 */
export function line(event) {
  if (event.kind === 'log') {
    const kind = event.level === undefined || event.level === null ? 'multipathd' : 'kernel';
    return { t: event.t, kind, tag: kind === 'kernel' ? 'kernel' : 'daemon', text: event.text, bad: event.level <= 3 && kind === 'kernel' };
  }
  const [text, bad] = (TEXT[event.kind] ?? other)(event);
  return { t: event.t, kind: OF[event.kind] ?? 'act', tag: event.kind, text, bad: Boolean(bad) };
}

/** A command's answer in a word or two. */
const answer = (event) => event.sense ?? (event.response === 'OK' ? event.status : event.response);

const PATH = { A: 'active', F: 'failed' };
const GROUP = { A: 'current', E: 'enabled', D: 'bypassed' };

const TEXT = {
  command(event) {
    const fault = event.fault ? `  by ${event.fault}` : '';
    return [`hba${event.hba}:${event.port} LUN ${event.lun} ${event.op} → ${answer(event)}  ${latency(event.latency_s)}${fault}`, answer(event) !== 'GOOD'];
  },
  state: (event) => [event.text, /-> (failed|removed|offline)|down/.test(event.text)],
  begun: (event) => [`${event.action} begins`],
  step: (event) => [event.error ? `${event.action}: ${event.error}` : event.action, event.error],
  path: (event) => [`${event.path} (${event.dev}) ${PATH[event.state] ?? event.state}, ${event.fails} failures, group ${event.group} ${GROUP[event.group_state] ?? ''}`, event.state === 'F'],
  disk: (event) => [`${event.name} (${event.path ?? event.dev}, LUN ${event.lun ?? '?'}) ${event.action === 'add' ? 'is there' : 'is gone'}`, event.action === 'remove'],
  map: (event) => [event.paths === null ? `map ${event.map} is gone` : `map ${event.map} is there with ${event.paths} paths`, event.paths === null],
  incomplete: (event) => [event.text],
  table: (event) => [`${event.map}: ${event.table}`],
  group: (event) => [`group ${event.group} ${GROUP[event.state] ?? event.state}`],
  pg_init: (event) => [`${event.map}: round ${event.rounds}`, event.rounds > 1],
  io: (event) => [event.text, event.what !== 'stall_end'],
  uevent: (event) => [`${event.action} ${event.path}, ${event.valid_paths} usable`, event.action === 'PATH_FAILED'],
  ran: (event) => [`${event.name}: ${ended(event)}  ${firstLine(event.stdout || event.stderr)}`, event.code !== 0],
  expect: (event) => [`${event.ok ? '✓' : '✗'} ${event.text}: ${event.seen}`, !event.ok],
  verdict: (event) => [`${event.verdict}${event.reason ? `: ${event.reason}` : ''}`, event.verdict === 'error'],
  multipathd: (event) => [event.error ?? 'the maps as multipathd reports them', event.error],
};

const other = (event) => [JSON.stringify(event)];
const firstLine = (text) => text.split('\n', 1)[0];
