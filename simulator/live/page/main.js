// The page of the live lab.

import * as acts from './acts.js';
import { get } from './api.js';
import * as charts from './charts.js';
import { at, h, say } from './dom.js';
import * as faults from './faults.js';
import * as history from './history.js';
import * as keys from './keys.js';
import * as log from './log.js';
import * as multipath from './multipath.js';
import * as notices from './notices.js';
import * as rates from './rates.js';
import { lab, on, tell } from './state.js';
import { follow } from './stream.js';
import * as tabs from './tabs.js';
import * as terminal from './terminal.js';
import * as theme from './theme.js';
import * as time from './time.js';
import * as topology from './topology.js';
import * as tour from './tour.js';
import * as whole from './whole.js';
import * as work from './work.js';

/** What runs, in the bar. */
function introduce() {
  on('status', ({ lab: of }) => {
    document.title = `sansim: ${of.name}`;
    say(at('lab'), of.title);
    at('lab').title = [`lab ${of.name}`, `${of.family}, ${of.identity}`, `${of.image}, kernel ${of.kernel}`, `${of.handler}, ${of.manager}`, `seed ${of.seed}, ${of.accelerator}`, `sansim ${of.version}`].join('\n');
    say(facts, `${of.name} · ${of.identity} (${of.family}) · ${of.kernel} · ${of.handler} · ${of.manager}`);
  });
}

const facts = h('span', { class: 'small', id: 'facts' });
at('san').querySelector('.tools').append(facts);

for (const part of [theme, notices, time, whole, topology, rates, charts, log, multipath, terminal, faults, work, history, acts, tour, tabs, keys]) part.start();
introduce();

/** The forms need the language; what does not need it works without. */
async function learn() {
  try {
    lab.language = await get('/api/language');
    if (!lab.status) await new Promise((done) => on('status', done));
    tell('language');
  } catch {
    setTimeout(learn, 2000);
  }
}

follow();
learn();
