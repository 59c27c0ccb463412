// How much goes over each path and to each LUN at the moment.

import { lab, now, on } from './state.js';

/** The time over which a rate is taken, in seconds of story time. */
const OVER = 1;

let ticks = [];
let counts = [];

/** Begins to count. */
export function start() {
  on('tick', (tick) => {
    ticks.push(tick);
    ticks = ticks.filter((one) => one.t > tick.t - OVER && one.t <= tick.t);
  });
  on('status', (status) => {
    const { t } = status.clock;
    counts.push({ t, luns: new Map(status.workloads.map((one) => [one.lun, one.reads + one.writes])) });
    while (counts.length > 2 && counts[1].t < t - OVER) counts.shift();
    if (counts.length > 50) counts.splice(1, 1);
  });
}

/** I/Os and bytes a second of a path. */
export function pathRate(nexus) {
  let [io, bytes, seconds] = [0, 0, 0];
  for (const tick of ticks) {
    seconds += tick.seconds;
    const path = tick.paths.find((one) => one.path === nexus);
    io += path?.good ?? 0;
    bytes += path?.bytes ?? 0;
  }
  return seconds > 0 && lab.connection === 'connected' ? { io: io / seconds, bytes: bytes / seconds } : { io: 0, bytes: 0 };
}

/** Requests a second that a LUN's workload completes. */
export function lunRate(lun) {
  if (counts.length < 2) return 0;
  const [first, last] = [counts[0], counts.at(-1)];
  if (now() - last.t > 3 * OVER) return 0;
  const done = (last.luns.get(lun) ?? 0) - (first.luns.get(lun) ?? 0);
  return last.t > first.t ? Math.max(0, done / (last.t - first.t)) : 0;
}
