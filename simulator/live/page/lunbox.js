// The box of a LUN in the picture: owner, what is unusual, its path groups.

import { s } from './dom.js';
import { count, size } from './format.js';
import { GROUPS } from './health.js';
import { badge, box, fit, hatch, text } from './shapes.js';

/** A LUN in words, for those who listen. */
export function lunWords(lun, stall, broken) {
  const paths = (lun.map?.groups ?? []).flatMap((group) => group.paths);
  const active = paths.filter((path) => path.state === 'A').length;
  const parts = [`LUN ${lun.lun}`, `owner ${lun.owner}`, size(lun.bytes), `${active} of ${paths.length} paths active`];
  for (const more of [...notes(lun), stall, broken && `broken since ${broken}`]) if (more) parts.push(more);
  return parts.join(', ');
}

/** What is unusual about a LUN, in words. */
function notes(lun) {
  return [
    lun.preferred !== lun.owner && `prefers ${lun.preferred}`,
    lun.read_only && 'read only',
    lun.split && `split: ${lun.split}`,
    lun.condition,
    lun.map?.rounds > 0 && `pg_init ×${lun.map.rounds}`,
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
  const at = (y, what, end, width) => what && text(end ? right : left, y, fit(what, width, em * 0.85),
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
  if (rows === 1) return [...parts, glyphs(lun, left + em * 3.6, line(0) - em * 0.35, em), !dense && !seen.broken && at(line(0), seen.stall || said || io, true, em * 7)];
  if (rows === 2) return [...parts, glyphs(lun, left, line(1) - em * 0.35, em), at(line(1), seen.stall || said || io, true, em * 8)];
  return [
    ...parts,
    !seen.broken && said && at(line(0), size(lun.bytes), true, em * 6),
    at(line(1), said || (seen.stall ? '' : size(lun.bytes)), false, room),
    glyphs(lun, left, line(2) - em * 0.35, em),
    at(line(said ? 2 : 1), io, true, em * 9),
  ];
}

/** The path groups of a LUN: a frame each, with a mark for each path. */
function glyphs(lun, x, y, em) {
  let next = x;
  return (lun.map?.groups ?? []).map((group) => {
    const step = em * 0.95;
    const w = Math.max(group.paths.length, 1) * step + em * 0.4;
    const made = s('g', { class: 'group', 'data-group': group.state },
      s('title', {}, `path group ${group.group}: ${GROUPS[group.state] ?? group.state}: ${group.paths.map((path) => `${path.path} ${path.state}`).join(', ')}`),
      s('rect', { x: next, y: y - em * 0.6, width: w, height: em * 1.2, rx: em * 0.35 }),
      group.paths.map((path, index) =>
        text(next + em * 0.2 + step * (index + 0.5), y + em * 0.33, path.state === 'A' ? '●' : '✕',
          { class: 'path', 'data-state': path.state, 'text-anchor': 'middle' })));
    next += w + em * 0.4;
    return made;
  });
}
