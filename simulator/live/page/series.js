// What the charts show, of the last minutes only. Pure: messages in, series out.

/** How much is kept, in seconds of story time. */
const KEPT = 320;
/** Limits, whatever the lab sends. */
const MOST_TICKS = 4000;
const MOST_MARKS = 600;
const MOST_BARS = 400;

/** Commands by which a device handler moves a LUN. */
const ACTIVATIONS = /^(MODE SELECT|START STOP UNIT|SET TARGET PORT GROUPS)/;

/** An empty series. */
export const series = () => ({
  /** Ticks, oldest first. */
  ticks: [],
  /** Lanes of bars, by name: `{ from, to, label, health }`. */
  lanes: new Map(),
  /** Marks: `{ t, kind, label, bad }`, kind is step, activation, round, io. */
  marks: [],
  /** The paths that had traffic, in the order of their names. */
  paths: [],
});

/** Takes a tick in. */
export function takeTick(of, tick) {
  if (of.ticks.length && tick.t < of.ticks.at(-1).t - 5) of.ticks = [];
  of.ticks.push(tick);
  for (const { path } of tick.paths) if (!of.paths.includes(path)) of.paths = [...of.paths, path].sort();
  while (of.ticks.length > MOST_TICKS || of.ticks[0].t < tick.t - KEPT) of.ticks.shift();
}

/** A series of what was before the page was opened, or connected again. */
export function past({ states, ticks, events }, health) {
  const of = series();
  for (const state of states) takeState(of, state, state.t, health);
  for (const tick of ticks) takeTick(of, tick);
  for (const event of events) takeEvent(of, event);
  return of;
}

/** Takes a state in: the lanes are what it says at `t`. */
export function takeState(of, status, t, health) {
  const seen = (name, label, how, since = t) => extend(of, name, Math.max(since, t - KEPT), label, how);
  for (const one of status.controllers) seen(`controller ${one.controller}`, one.state, health.controllerHealth(one.state), one.since);
  for (const lun of status.luns) seen(`lun ${lun.lun}`, lun.owner, `owner${health.hue(lun.owner)}`);
  for (const link of status.links) {
    const state = health.linkState(link, health.pathsOf(status, link.path));
    seen(link.path, state, health.linkHealth(state));
  }
}

/** A lane goes on, or begins something else. */
function extend(of, name, t, label, how) {
  if (!of.lanes.has(name)) of.lanes.set(name, []);
  const bars = of.lanes.get(name);
  const last = bars.at(-1);
  if (last?.label === label) return;
  if (last) last.to = t;
  bars.push({ from: t, to: null, label, health: how });
  while (bars.length > MOST_BARS || (bars.length > 1 && bars[0].to < t - KEPT)) bars.shift();
}

/** Takes an event in, if the charts mark it. */
export function takeEvent(of, event) {
  const mark = markOf(event);
  if (!mark) return;
  of.marks.push({ t: event.t, ...mark });
  while (of.marks.length > MOST_MARKS || of.marks[0].t < event.t - KEPT) of.marks.shift();
}

/** The mark of an event, or null. */
function markOf(event) {
  if (event.kind === 'step') return { kind: 'step', label: event.action, bad: Boolean(event.error) };
  if (event.kind === 'pg_init' && event.rounds > 0) return { kind: 'round', label: `pg_init round ${event.rounds} (${event.map})`, bad: event.rounds > 1 };
  if (event.kind === 'io') return { kind: 'io', label: event.text, bad: event.what !== 'stall_end' };
  if (event.kind === 'command' && ACTIVATIONS.test(event.op)) {
    const answer = event.sense ?? (event.response === 'OK' ? event.status : event.response);
    return { kind: 'activation', label: `${event.op} to hba${event.hba}:${event.port}, LUN ${event.lun}: ${answer}`, bad: answer !== 'GOOD' };
  }
  return null;
}

/** Ticks between two times, by binary search. */
export function between(ticks, from, to) {
  const first = lower(ticks, from);
  return ticks.slice(Math.max(0, first - 1), lower(ticks, to) + 1);
}

/** Ticks in pieces without a gap: while the connection was lost nobody counted. */
export function runs(ticks) {
  const pieces = [];
  for (const tick of ticks) {
    const last = pieces.at(-1)?.at(-1);
    if (last && tick.t - tick.seconds < last.t + 0.25) pieces.at(-1).push(tick);
    else pieces.push([tick]);
  }
  return pieces;
}

function lower(ticks, t) {
  let [low, high] = [0, ticks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ticks[middle].t < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The worst latency of each piece of time, as `{ t, seconds, path }`. */
export function worst(ticks, piece) {
  const found = new Map();
  for (const tick of ticks) {
    for (const { path, latencies } of tick.paths) {
      for (const seconds of latencies) {
        const at = Math.floor(tick.t / piece);
        if (!(found.get(at)?.seconds >= seconds)) found.set(at, { t: tick.t, seconds, path });
      }
    }
  }
  return [...found.values()];
}

/** A round number not below this, for the top of a scale: 1, 2 or 5 times a power of ten. */
export function roundUp(n) {
  if (!(n > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= n * 0.999);
}
