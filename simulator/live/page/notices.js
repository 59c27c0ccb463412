// Notices that go by themselves, what is wrong with the connection, and words for those who listen.

import { at, button, h, say } from './dom.js';
import { lab, on } from './state.js';

/** How long a notice stays, in milliseconds. */
const STAYS = 12000;

/** Shows a notice: `bad` or `note`. Its text may have lines with carets. */
export function notice(kind, text) {
  const box = h('div', { class: `notice ${kind}`, role: kind === 'bad' ? 'alert' : 'status' },
    h('pre', {}, text), button('✕', () => box.remove(), { 'aria-label': 'Close this notice', class: 'plain' }));
  at('notices').append(box);
  while (at('notices').querySelectorAll('.notice').length > 4) at('notices').querySelector('.notice').remove();
  setTimeout(() => box.remove(), STAYS);
}

/** An error where it was caused, in place of one that is there. */
export function errorAt(place, error) {
  clearError(place);
  const shown = h('pre', { class: 'error', role: 'alert' }, error.message);
  place.append(shown);
  shown.scrollIntoView({ block: 'nearest' });
}

/** Removes the error there. */
export const clearError = (place) => place.querySelector(':scope > .error')?.remove();

const CONNECTION = {
  connecting: 'Connecting to the lab…',
  lost: 'The connection to the lab is lost. What you see is old. Trying again…',
  silent: 'The lab has not answered for a while: it has probably ended. Trying again…',
  refused: 'This browser may not use the lab any more. Open the address that sansim has printed, with its token.',
  ended: 'The lab has ended.',
};

/** Why the lab has ended, and what is left of it. */
function end() {
  const why = lab.error ? ` It failed: ${lab.error}.` : '';
  const where = lab.status ? ` Its events, console and story are in ${lab.status.lab.directory}` : '';
  return why + where;
}

/** Shows the state of the connection, and says what is different. */
export function start() {
  const banner = h('div', { id: 'connection', role: 'status' });
  at('notices').prepend(banner);
  const show = () => {
    document.documentElement.dataset.connection = lab.connection;
    const more = lab.connection === 'ended' ? end() : '';
    const starting = lab.connection === 'connected' && lab.status?.starting ? `The lab starts: ${lab.status.starting}` : '';
    say(banner, starting || (CONNECTION[lab.connection] ?? '') + more);
    banner.hidden = !banner.textContent;
  };
  on('connection', show);
  on('status', show);
  show();
  on('lost', (count) => {
    if (lab.lost === count) notice('note', 'This page is too slow for all messages: the stream says how many it has missed. The lab has them in events.ndjson.');
  });
  on('status', announce());
}

/** Says in words what is broken since the last status, and what no longer is. */
function announce() {
  let before = null;
  let owners = new Map();
  return (status) => {
    const broken = new Map(status.broken.map((one) => [one.thing + one.what, one.what]));
    const parts = [];
    if (before) {
      for (const [key, what] of broken) if (!before.has(key)) parts.push(what);
      for (const [key, what] of before) if (!broken.has(key)) parts.push(`no longer: ${what}`);
      for (const lun of status.luns) {
        const owner = owners.get(lun.lun);
        if (owner && owner !== lun.owner) parts.push(`LUN ${lun.lun} has moved from ${owner} to ${lun.owner}`);
      }
    }
    before = broken;
    owners = new Map(status.luns.map((lun) => [lun.lun, lun.owner]));
    if (parts.length) say(at('live'), parts.slice(0, 6).join('. '));
  };
}
