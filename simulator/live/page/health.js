// How things are: one word for colour and shape out of the status.
//
// good: works. busy: on its way, or works in part. bad: broken. idle: neither.

/** @typedef {'good'|'busy'|'bad'|'idle'} Health */

const CONTROLLERS = { online: 'good', failed: 'bad', removed: 'bad', offline: 'bad' };

/** @returns {Health} */
export const controllerHealth = (state) => CONTROLLERS[state] ?? 'busy';

/** A mark for a health: its shape says what its colour says. */
export const MARKS = { good: '●', busy: '◐', bad: '✕', idle: '○' };

/** The state of a port in a word. */
export function portState(port) {
  if (!port.present) return 'unplugged';
  return port.up ? 'up' : 'down';
}

/** The paths of a nexus in all maps, each with its group. */
export function pathsOf(status, nexus) {
  return status.luns.flatMap((lun) =>
    (lun.map?.groups ?? []).flatMap((group) =>
      group.paths.filter((path) => path.path === nexus).map((path) => ({ lun: lun.lun, group, path })),
    ),
  );
}

/** The state of a link in a word: of the link itself, or else of its paths. */
export function linkState(link, paths) {
  if (!link.up) return 'down';
  if (!paths.length) return 'unused';
  const failed = paths.filter(({ path }) => path.state === 'F').length;
  if (failed === paths.length) return 'failed';
  if (failed) return 'degraded';
  return 'active';
}

const LINKS = { down: 'bad', failed: 'bad', degraded: 'busy', active: 'good', unused: 'idle' };

/** @returns {Health} */
export const linkHealth = (state) => LINKS[state];

/** The best group that a link is in: `A` current, `E` enabled, `D` bypassed; none is ``. */
export const linkGroup = (paths) =>
  ['A', 'E', 'D'].find((state) => paths.some(({ group }) => group.state === state)) ?? '';

/** What a group's letter means. */
export const GROUPS = { A: 'current', E: 'enabled', D: 'bypassed' };

const ACCESS = {
  'active/optimized': ['A/O', 'good'], 'active/non-optimized': ['A/N', 'plain'], 'lba-dependent': ['L', 'plain'], standby: ['S', 'idle'],
  transitioning: ['T', 'busy'], unavailable: ['U', 'bad'], offline: ['O', 'bad'],
};

/** A target port group in short: its ports (or their controller, if it has no other) and its access state, as RTPG's readers write it. */
export function access({ ports, state }) {
  const [short, tone] = ACCESS[state] ?? [state, 'idle'];
  const of = ports.length > 1 ? controllerOf(ports[0]) : ports[0];
  return { label: `${of} ${short}`, tone };
}

/** How a LUN is: by its paths and by what is said of it. @returns {Health} */
export function lunHealth(lun, stalled) {
  const paths = (lun.map?.groups ?? []).flatMap((group) => group.paths);
  const active = paths.filter((path) => path.state === 'A').length;
  if (stalled || lun.split || (paths.length && !active)) return 'bad';
  if (lun.condition || active < paths.length) return 'busy';
  return paths.length ? 'good' : 'idle';
}

/** The number of a controller's colour: A is 0. */
export const hue = (controller) => (controller.charCodeAt(0) - 65) % 8;

/** The controller of a port or a nexus: `hba0:A0` is `A`. */
export const controllerOf = (port) => port.slice(port.indexOf(':') + 1).replace(/[0-9]+$/, '');
