// The box of a LUN in the picture: owner, what is unusual, its path groups.

import { s } from './dom.js';
import { count, size } from './format.js';
import { GROUPS, access } from './health.js';
import { badge, box, fit, hatch, text } from './shapes.js';

/** A LUN in words, for those who listen. */
export function lunWords(lun, stall, broken) {
  const paths = (lun.map?.groups ?? []).flatMap((group) => group.paths);
  const active = paths.filter((path) => path.state === 'A').length;
  const parts = [`LUN ${lun.lun}`, `owner ${lun.owner}`, size(lun.bytes), `${active} of ${paths.length} paths active`];
  for (const { group, ports, state } of lun.port_groups) parts.push(`port group ${group} (${ports.join(', ')}) ${state}`);
  for (const more of [...notes(lun), stall, broken && `broken since ${broken}`]) if (more) parts.push(more);
  return parts.join(', ');
}

/** What is unusual about a LUN, in words. */
function notes(lun) {
  return [
    lun.preferred !== lun.owner && `prefers ${lun.preferred}`,
    lun.read_only && 'read only',
    lun.split && `split: ${lun.split}`,
    lun.replication && lun.replication !== 'up' && `replication ${lun.replication}, served by ${lun.served_by.join(' ') || 'nobody'}`,
    lun.condition,
    lun.map?.rounds > 1 && `pg_init ×${lun.map.rounds}`,
  ].filter(Boolean);
}

/** What is in the box of a LUN: one, two or three lines, by the room that there is. */
export function lunParts(lun, seen, em) {
  const rows = lun.h >= em * 4.6 ? 3 : lun.h >= em * 2.4 ? 2 : 1;
  const dense = rows === 1 && lun.w < em * 17;
  const line = (n) => lun.y + lun.h * ((n + 0.5) / rows) + em * 0.35;
  const left = lun.x + em * 3.1;
  const right = lun.x + lun.w - em * 0.7;
  const io = seen.stall || (seen.rate >= 0.5 ? `${count(seen.rate)} IO/s` : '');
  const said = notes(lun).join(', ');
  const alarm = seen.stall ? ' alarm' : '';
  const at = (y, what, end, wide) => what && wide > em * 3 && text(end ? right : left, y, fit(what, wide, em * 0.85),
    { class: `small${what === seen.stall ? alarm : ''}`, 'text-anchor': end ? 'end' : null });
  const parts = [
    box(lun, { class: 'body' }),
    hatch(lun, seen.health),
    s('rect', { class: 'owned', x: lun.x, y: lun.y, width: em * 2.4, height: lun.h, rx: 7 }),
    text(lun.x + em * 1.2, lun.y + lun.h / 2 + em * 0.45, lun.owner, { class: 'letter', 'text-anchor': 'middle' }),
    text(left, line(0), `lun ${lun.lun}`, { class: 'name' }),
    dense ? badge(lun.x + lun.w, lun.y + em * 0.2, seen.broken, em, true, true)
      : badge(right + em * 0.3, line(0) - em * 0.35, seen.broken, em, true),
  ];
  const room = right - left;
  const name = em * (0.6 * `lun ${lun.lun}`.length + 0.6);
  parts.push(portGroups(lun, left + name, line(0), room - name - em * (seen.broken || (rows === 3 && said) ? 5 : 0.3), em));
  const from = rows === 1 ? em * 3.6 : 0;
  const groups = signed(lun, room - from + em * 0.7, em);
  const frames = glyphs(groups, left + from, line(rows - 1) - em * 0.35, em);
  const rest = room - from - width(groups, em) - em * 0.3;
  if (rows === 1) return [...parts, frames, !seen.broken && at(line(0), seen.stall || said || io, true, rest)];
  if (rows === 2) return [...parts, frames, at(line(1), seen.stall || said || io, true, rest)];
  return [
    ...parts,
    !seen.broken && said && at(line(0), size(lun.bytes), true, em * 6),
    at(line(1), said || (seen.stall ? '' : size(lun.bytes)), false, room),
    frames,
    at(line(said ? 2 : 1), io, true, said ? rest : em * 9),
  ];
}

/** The access states of the target port groups, if there is room for all. */
function portGroups(lun, x, y, room, em) {
  const groups = lun.port_groups.map((one) => ({ ...one, ...access(one) }));
  const wide = ({ label }) => em * (0.52 * label.length + 0.7);
  if (!groups.length || groups.reduce((sum, one) => sum + wide(one), 0) > room) return null;
  let next = x;
  return groups.map((one) => {
    const made = s('g', { class: 'access', 'data-tone': one.tone },
      s('title', {}, `target port group ${one.group} (${one.ports.join(', ')}): ${one.state}`),
      text(next, y, one.label, { class: 'small' }));
    next += wide(one);
    return made;
  });
}

/** The path groups of a LUN, each with the signs in it: one for each path, or their number if there is no room. */
function signed(lun, room, em) {
  const groups = (lun.map?.groups ?? []).map((group) => ({ group, signs: group.paths.map((path) => ({ sign: sign(path.state), state: path.state })) }));
  if (width(groups, em) <= room) return groups;
  return groups.map(({ group, signs }) => {
    const fewer = tallied(group);
    return { group, signs: fewer.length < signs.length ? fewer : signs };
  });
}

const wide = ({ signs }, em) => Math.max(signs.length, 1) * em * 0.95 + em * 0.4;
const width = (groups, em) => groups.reduce((sum, one) => sum + wide(one, em) + em * 0.4, 0);

/** A frame for each path group, with its signs. */
function glyphs(groups, x, y, em) {
  let next = x;
  return groups.map((one) => {
    const { group, signs } = one;
    const made = s('g', { class: 'group', 'data-group': group.state },
      s('title', {}, `path group ${group.group}: ${GROUPS[group.state] ?? group.state}: ${group.paths.map((path) => `${path.path} ${path.state}`).join(', ')}`),
      s('rect', { x: next, y: y - em * 0.6, width: wide(one, em), height: em * 1.2, rx: em * 0.35 }),
      signs.map(({ sign: what, state }, index) =>
        text(next + em * 0.2 + em * 0.95 * (index + 0.5), y + em * 0.33, what,
          { class: 'path', 'data-state': state, 'text-anchor': 'middle' })));
    next += wide(one, em) + em * 0.4;
    return made;
  });
}

const sign = (state) => (state === 'A' ? '●' : '✕');

/** How many paths of a group are active and failed, as signs. */
const tallied = (group) =>
  ['A', 'F'].flatMap((state) => {
    const n = group.paths.filter((path) => path.state === state).length;
    return n ? [{ sign: sign(state), state }, { sign: String(n), state }] : [];
  });
