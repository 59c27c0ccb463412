// What can be done to a thing of the picture, in the words of the language.

import { definition, field, fieldsOf, typeOf } from './schema.js';
import { lab } from './state.js';

/**
 * An act that takes one click.
 * @typedef {{label: string, step: object}} Quick
 */

/** What a name means: `hba0:A0` is a link. */
function parse(name) {
  const [, controller] = /^controller ([A-H])$/.exec(name) ?? [];
  if (controller) return { kind: 'controller', controller };
  const [, array] = /^array (.+)$/.exec(name) ?? [];
  if (array) return { kind: 'array', array };
  if (name === 'witness') return { kind: 'witness' };
  const [, port] = /^port (\S+)$/.exec(name) ?? [];
  if (port) return { kind: 'port', port };
  const [, lun] = /^lun ([0-9]+)$/.exec(name) ?? [];
  if (lun) return { kind: 'lun', lun: Number(lun) };
  const [, hba, target] = /^hba([0-9]+)(?::(\S+))?$/.exec(name) ?? [];
  if (target) return { kind: 'link', hba: Number(hba), port: target };
  if (hba) return { kind: 'hba', hba: Number(hba) };
  return { kind: 'host' };
}

/** The acts on a thing that take one click, the likeliest first. @returns {Quick[]} */
export function quick(name) {
  const thing = parse(name);
  return QUICK[thing.kind](thing, lab.status).filter(Boolean);
}

const QUICK = {
  controller({ controller }, status) {
    const { state } = status.controllers.find((one) => one.controller === controller) ?? {};
    const part = `controller ${controller}`;
    return [
      state !== 'online' && { label: 'Restore', step: { restore: part } },
      state !== 'failed' && { label: 'Fail', step: { fail: part } },
      state === 'online' && { label: 'Reboot for 30 s', step: { phases: { controller, through: [{ state: 'booting', lasts: '30s' }] } } },
      ...['quiescing', 'upgrading', 'removed'].filter((to) => to !== state)
        .map((to) => ({ label: `Set ${to}`, step: { set: { controller, state: to } } })),
    ];
  },
  array({ array }, status) {
    const { isolated, controllers } = (status.arrays ?? []).find((one) => one.array === array) ?? {};
    const states = status.controllers.filter((one) => controllers?.includes(one.controller)).map((one) => one.state);
    const part = `array ${array}`;
    return [
      (isolated || states.some((state) => state !== 'online')) && { label: 'Restore', step: { restore: part } },
      states.some((state) => state !== 'failed') && { label: 'Fail', step: { fail: part } },
      !isolated && { label: 'Isolate', step: { isolate: part } },
    ];
  },
  witness(_, status) {
    return [status.witness === false ? { label: 'Restore', step: { restore: 'witness' } } : { label: 'Lose', step: { fail: 'witness' } }];
  },
  port({ port }, status) {
    const seen = status.controllers.flatMap((one) => one.ports).find((one) => one.port === port) ?? {};
    return [
      seen.present === false && { label: 'Plug', step: { plug: port } },
      seen.up === false && { label: 'Link up', step: { link: { port, up: true } } },
      seen.up && { label: 'Link down', step: { link: { port, up: false } } },
      seen.present && { label: 'Unplug', step: { unplug: port } },
      seen.present && { label: 'Flap 5 times', step: { link: { port, flap: { every: '1s', times: 5 } } } },
    ];
  },
  link({ hba, port }, status) {
    const { up } = status.links.find((one) => one.hba === hba && one.port === port) ?? {};
    return [
      { label: 'Link up', step: { link: { port, hba, up: true } }, rank: up ? 1 : 0 },
      { label: 'Link down', step: { link: { port, hba, up: false } }, rank: up ? 0 : 1 },
      { label: 'Flap 5 times', step: { link: { port, hba, flap: { every: '1s', times: 5 } } }, rank: 2 },
      { label: 'Reinstate the path', step: { reinstate: `hba${hba}:${port}` }, rank: 3 },
    ].sort((a, b) => a.rank - b.rank);
  },
  hba: ({ hba }) => [{ label: 'Reset', step: { reset_hba: hba } }],
  lun({ lun }, status) {
    const seen = status.luns.find((one) => one.lun === lun) ?? {};
    return [
      ...status.controllers.map((one) => one.controller).filter((one) => one !== seen.owner)
        .map((controller) => ({ label: `Move to ${controller}`, step: { own: { lun, controller } } })),
      ...(seen.replication ? replicationOf(lun, seen) : [seen.split ? { label: 'Heal the split', step: { heal: lun } } : { label: 'Split', step: { split: { lun } } }]),
      seen.condition ? { label: `End ${seen.condition}`, step: { condition: { lun, is: 'none' } } } : null,
      { label: seen.read_only ? 'Writable' : 'Read only', step: { read_only: seen.read_only ? { lun, read_only: false } : { lun } } },
      { label: 'Reinstate all paths', step: { reinstate: 'all', lun } },
    ];
  },
  host(_, status) {
    if (status.lab.manager !== 'multipathd') return [{ label: 'Reinstate all paths', step: { reinstate: 'all' } }];
    return [
      { label: 'Stop multipathd', step: { signal: { to: 'multipathd', is: 'STOP' } } },
      { label: 'Continue multipathd', step: { signal: { to: 'multipathd', is: 'CONT' } } },
      { label: 'Kill multipathd', step: { signal: { to: 'multipathd', is: 'KILL' } } },
    ];
  },
};

/** What can be done to the replication of a LUN that two arrays present. */
const replicationOf = (lun, { replication }) => [
  replication !== 'up' && { label: 'Replication up', step: { replication: { lun, is: 'up' } } },
  replication !== 'down' && { label: 'Replication down', step: { replication: { lun, is: 'down' } } },
  replication === 'up' && { label: 'Replication lags by 200 ms', step: { replication: { lun, is: 'lagging', by: '200ms' } } },
];

/** Acts that the page has places of their own for. */
const ELSEWHERE = new Set(['start', 'stop', 'end']);
/** Keys that go with an act. */
const WITH = { message: ['lun'], reinstate: ['lun'], run: ['timeout'] };

/**
 * Every act of the language that is about such a thing, with the fields that are still open.
 * @returns {{word: string, help: string, fields: import('./schema.js').Field[], given: object, fixed: object}[]}
 */
export function every(name) {
  const thing = parse(name);
  const step = definition('Step');
  if (!step) return [];
  return Object.entries(step.properties)
    .filter(([word, { description }]) => description?.startsWith('Action: ') && !ELSEWHERE.has(word))
    .map(([word, schema]) => act(word, schema, thing))
    .filter(Boolean);
}

/** An act, if it is about such a thing. */
function act(word, schema, thing) {
  const given = about(word, schema, thing);
  if (given === null) return null;
  const of = field(word, schema, true);
  const others = (WITH[word] ?? []).map((key) => field(key, definition('Step').properties[key]));
  const help = of.help.replace(/^Action: /, '').replaceAll('`', '');
  return { word, help, fields: [{ ...of, help }, ...others], given };
}

/** What is given of an act by the thing that it is about; null if it is not about such a thing. */
function about(word, schema, thing) {
  const type = typeOf(schema);
  const keys = new Set(fieldsOf(schema).map((one) => one.name));
  const { kind } = thing;
  const has = (key) => keys.has(key);
  if (word === 'map') return kind === 'lun' ? { map: { owner: ownerOf(thing.lun), size: '256MiB' } } : null;
  if (kind === 'controller') {
    if (type === 'Part') return { [word]: `controller ${thing.controller}` };
    return has('controller') && !has('lun') ? { [word]: { controller: thing.controller } } : null;
  }
  if (kind === 'array') return type === 'Part' || type === 'WholeArray' ? { [word]: `array ${thing.array}` } : null;
  if (kind === 'witness') return type === 'Part' ? { [word]: 'witness' } : null;
  if (kind === 'port' && type === 'Port') return { [word]: thing.port };
  if (kind === 'port' || kind === 'link') {
    const { port, hba } = thing;
    if (word === 'reinstate') return { reinstate: kind === 'link' ? `hba${hba}:${port}` : port };
    return has('port') ? { [word]: { port, hba } } : null;
  }
  if (kind === 'hba') {
    if (word === 'reset_hba') return { reset_hba: thing.hba };
    return word === 'unit_attention' ? { [word]: { hba: thing.hba } } : null;
  }
  if (kind === 'lun') return aboutLun(word, schema, has, thing.lun);
  return ['signal', 'run', 'write', 'message', 'reinstate', 'release', 'arm', 'disarm'].includes(word) ? {} : null;
}

function aboutLun(word, schema, has, lun) {
  if (has('lun')) return { [word]: { lun } };
  if (WITH[word]?.includes('lun')) return { lun };
  return schema.type === 'integer' && word !== 'reset_hba' ? { [word]: lun } : null;
}

const ownerOf = (lun) => lab.status.luns.find((one) => one.lun === lun)?.owner;
