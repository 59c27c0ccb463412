// Charts on one time axis: throughput by path, latency, states, marks.

import { at, button, change, h, perFrame, say } from './dom.js';
import { clock, count, latency, size } from './format.js';
import * as health from './health.js';
import { clipped, colour, cross, diamond, forget, ring, rule, stripes } from './paint.js';
import { between, past as seriesOf, roundUp, runs, series, takeEvent, takeState, takeTick, worst } from './series.js';
import { now, on } from './state.js';

const WINDOWS = [60, 300];

let of = series();
const view = { seconds: 60, end: null, hover: null };
let canvas;
/** When the charts were drawn last, by the browser's clock. */
let drawn = 0;
let tip;

/** Fills the pane and begins to draw. */
export function start() {
  canvas = h('canvas', { role: 'img', tabindex: '0', 'aria-label': 'Traffic and states over time' });
  tip = h('div', { id: 'tip', hidden: true });
  at('chart').append(canvas, tip);
  tools();
  const draw = perFrame(() => performance.now() - drawn >= pace() && redraw());
  on('tick', (tick) => takeTick(of, tick));
  on('event', (event) => takeEvent(of, event));
  on('status', (status) => takeState(of, status, status.clock.t, health));
  on('past', (past) => {
    of = seriesOf(past, health);
    draw();
  });
  on('theme', () => {
    forget();
    draw();
  });
  for (const kind of ['tick', 'status', 'event']) on(kind, draw);
  new ResizeObserver(draw).observe(at('chart'));
  canvas.addEventListener('pointermove', (event) => hover(event.offsetX));
  canvas.addEventListener('pointerleave', () => hover(null));
  canvas.addEventListener('keydown', steer);
  setInterval(draw, 250);
}

function tools() {
  const place = at('charts').querySelector('.tools');
  const pause = button('Freeze', () => freeze(), { id: 'chart-freeze', 'aria-pressed': 'false' });
  const windows = WINDOWS.map((seconds) =>
    button(seconds === 60 ? '60 s' : '5 min', () => {
      view.seconds = seconds;
      mark();
    }, { 'data-window': seconds }));
  const mark = () => windows.forEach((one) => change(one, { 'aria-pressed': String(Number(one.dataset.window) === view.seconds) }));
  mark();
  place.prepend(...windows, pause);
}

/** Stops the axis, so that it can be read, or lets it go on. */
export function freeze() {
  view.end = view.end === null ? now() : null;
  const pressed = view.end !== null;
  change(at('chart-freeze'), { 'aria-pressed': String(pressed) });
  say(at('chart-freeze'), pressed ? 'Frozen' : 'Freeze');
}

/** Left and right move the cursor. */
function steer(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const { width } = canvas.getBoundingClientRect();
  hover(Math.min(width, Math.max(0, (view.hover ?? width) + step * width * 0.01)));
}

function hover(x) {
  view.hover = x;
  redraw();
}

/** The colour of a path: that of its controller, lighter for each further HBA. */
function pathColour(path) {
  const siblings = of.paths.filter((one) => health.controllerOf(one) === health.controllerOf(path));
  const nth = siblings.indexOf(path);
  return { fill: colour(`hue${health.hue(health.controllerOf(path))}`), alpha: 1 - (0.62 * nth) / Math.max(siblings.length, 2) };
}

/** The shortest time between two drawings: what shows minutes moves slowly. */
const pace = () => (view.seconds > 60 ? 400 : 80);

function redraw() {
  drawn = performance.now();
  const { clientWidth: width, clientHeight: height } = at('chart');
  if (!width || height < 40) return;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const em = parseFloat(getComputedStyle(canvas).fontSize);
  const g = canvas.getContext('2d');
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  const plan = planned(width, height, em);
  g.font = `${em * 0.8}px system-ui, sans-serif`;
  g.textBaseline = 'middle';
  const ticks = between(of.ticks, plan.from, plan.to);
  drawGrid(g, plan);
  drawThroughput(g, plan, ticks);
  drawLatency(g, plan, ticks);
  drawMarks(g, plan);
  drawLanes(g, plan);
  if (view.hover !== null && view.hover >= plan.left) drawCursor(g, plan, ticks);
  else tip.hidden = true;
}

/** Where each part is, and the axis: it grows until there is enough to fill it. */
function planned(width, height, em) {
  const to = view.end ?? now();
  const begun = of.ticks[0]?.t ?? to;
  const from = Math.max(to - view.seconds, Math.min(begun, to - 15));
  const left = em * 6.2;
  const right = width - em * 0.5;
  const axis = em * 1.4;
  const marks = { y: 0, h: em * 1.9 };
  const wanted = lanesShown(from);
  const row = em;
  const room = Math.max(2, Math.floor((height * 0.51 - axis) / row));
  const lanes = wanted.slice(0, room);
  const bands = { y: height - axis - lanes.length * row, h: lanes.length * row };
  const free = bands.y - marks.h - em * 0.3;
  return {
    width, height, em, from, to, left, right, lanes, row, marks, bands,
    hidden: wanted.length - lanes.length,
    through: { y: marks.h, h: free * 0.52 },
    late: { y: marks.h + free * 0.52 + em * 0.7, h: free * 0.48 - em * 0.5 },
    x: (t) => left + ((t - from) / (to - from)) * (right - left),
    t: (x) => from + ((x - left) / (right - left)) * (to - from),
  };
}

/** The lanes. If there are many, those come first that were not the same all the time. */
function lanesShown(from) {
  const all = [...of.lanes].map(([name, bars]) => ({ name, bars, moved: bars.length > 1 && bars.some((bar) => bar.from > from) }));
  const many = all.length > 12;
  const rank = ({ name, moved }) => {
    if (name.startsWith('controller')) return 0;
    if (many && moved) return 1;
    return name.startsWith('lun') === many ? 3 : 2;
  };
  return all.sort((a, b) => rank(a) - rank(b));
}

function drawGrid(g, plan) {
  const step = [1, 2, 5, 10, 30, 60].find((one) => (plan.to - plan.from) / one <= 8) ?? 60;
  g.strokeStyle = colour('rule');
  g.fillStyle = colour('dim');
  g.lineWidth = 1;
  g.textAlign = 'center';
  for (let t = Math.ceil(plan.from / step) * step; t <= plan.to; t += step) {
    if (t < 0) continue;
    const x = Math.round(plan.x(t)) + 0.5;
    g.beginPath();
    g.moveTo(x, plan.through.y);
    g.lineTo(x, plan.height - plan.em * 1.4);
    g.stroke();
    if (x < plan.right - plan.em && x > plan.left + plan.em * 2.5) g.fillText(clock(t).replace('.0', ''), x, plan.height - plan.em * 0.6);
  }
}

/** The name of a part, and the top of its scale. */
function caption(g, plan, part, name, top) {
  g.textAlign = 'right';
  g.fillStyle = colour('text');
  g.fillText(name, plan.left - plan.em * 0.5, part.y + part.h / 2);
  g.fillStyle = colour('dim');
  g.fillText(top, plan.left - plan.em * 0.5, part.y + plan.em * 0.6);
}

function drawThroughput(g, plan, ticks) {
  const { y, h: high } = plan.through;
  const most = Math.max(...ticks.map((tick) => perSecond(tick, tick.paths.reduce((sum, one) => sum + one.bytes, 0))), 1);
  const unit = 1024 ** Math.floor(Math.log2(most) / 10);
  const top = roundUp(most / unit) * unit;
  const level = (value) => y + high - (value / top) * (high - plan.em * 0.3);
  clipped(g, plan, () => runs(ticks).forEach((run) => drawStack(g, plan, run, level)));
  rule(g, plan, y + high);
  caption(g, plan, plan.through, 'throughput', `${size(top)}/s`);
}

const perSecond = (tick, bytes) => bytes / (tick.seconds || 0.1);

/** The paths of ticks without a gap, stacked. */
function drawStack(g, plan, ticks, level) {
  let below = ticks.map(() => 0);
  for (const path of of.paths) {
    const above = ticks.map((tick, index) => below[index] + perSecond(tick, tick.paths.find((one) => one.path === path)?.bytes ?? 0));
    g.beginPath();
    ticks.forEach((tick, index) => {
      g.lineTo(plan.x(tick.t - tick.seconds), level(above[index]));
      g.lineTo(plan.x(tick.t), level(above[index]));
    });
    for (let index = ticks.length - 1; index >= 0; index -= 1) {
      g.lineTo(plan.x(ticks[index].t), level(below[index]));
      g.lineTo(plan.x(ticks[index].t - ticks[index].seconds), level(below[index]));
    }
    const { fill, alpha } = pathColour(path);
    g.globalAlpha = alpha;
    g.fillStyle = fill;
    g.fill();
    g.globalAlpha = 1;
    below = above;
  }
}

/** Latency is on a logarithmic scale, from 1 µs, which an array without delays takes, to 30 s. */
const DECADES = [-6, 1.5];

function drawLatency(g, plan, ticks) {
  const { y, h: high } = plan.late;
  const [low, up] = DECADES;
  const level = (seconds) => y + high - ((Math.log10(Math.max(seconds, 10 ** low)) - low) / (up - low)) * high;
  g.fillStyle = colour('dim');
  g.textAlign = 'right';
  for (const power of [-5, -3, -1]) {
    rule(g, plan, level(10 ** power));
    g.fillText(latency(10 ** power).replace('.0', ''), plan.left - plan.em * 0.5, level(10 ** power));
  }
  clipped(g, plan, () => {
    for (const tick of ticks) {
      for (const one of tick.paths) {
        g.fillStyle = colour(`hue${health.hue(health.controllerOf(one.path))}`);
        const points = view.seconds > 60 ? extremes(one.latencies) : one.latencies;
        points.forEach((seconds, index) => g.fillRect(plan.x(tick.t - (tick.seconds * index) / points.length) - 1, level(seconds) - 1, 2, 2));
        if (one.failed) cross(g, plan.x(tick.t), y + plan.em * 0.4, plan.em * 0.24, colour('bad'));
      }
      if (tick.slowest > 0.1) diamond(g, plan.x(tick.t), level(tick.slowest), plan.em * 0.32, colour('busy'));
    }
    g.strokeStyle = colour('text');
    for (const one of worst(ticks, view.seconds / 60)) ring(g, plan.x(one.t), level(one.seconds), plan.em * 0.22);
  });
  rule(g, plan, y + high);
  g.fillStyle = colour('text');
  g.textAlign = 'right';
  g.fillText('latency', plan.left - plan.em * 0.5, y + plan.em * 0.3);
}

/** The least and the most of some latencies, where there is no room for all. */
const extremes = (latencies) => (latencies.length > 2 ? [Math.min(...latencies), Math.max(...latencies)] : latencies);

/** Steps, activations, rounds of pg_init and trouble with I/O, each with a sign of its own. */
const SIGNS = { step: '▼', activation: '◆', round: '↻', io: '!' };
/** Where in the strip of marks: what is asked for above, what comes of it below. */
const HIGH = { step: 0.28, activation: 0.28, round: 0.78, io: 0.78 };

function drawMarks(g, plan) {
  g.textAlign = 'center';
  clipped(g, plan, () => {
    for (const mark of of.marks) {
      if (mark.t < plan.from || mark.t > plan.to) continue;
      const x = plan.x(mark.t);
      g.strokeStyle = g.fillStyle = colour(mark.bad ? 'bad' : mark.kind === 'step' ? 'text' : 'good');
      g.globalAlpha = mark.kind === 'step' ? 0.7 : 0.3;
      g.setLineDash(mark.kind === 'step' ? [] : [2, 3]);
      g.beginPath();
      g.moveTo(x, plan.marks.h * 0.9);
      g.lineTo(x, plan.bands.y + plan.bands.h);
      g.stroke();
      g.setLineDash([]);
      g.globalAlpha = 1;
      g.fillText(SIGNS[mark.kind], x, plan.marks.h * HIGH[mark.kind]);
    }
  });
  g.textAlign = 'right';
  g.fillStyle = colour('dim');
  g.fillText('marks', plan.left - plan.em * 0.5, plan.marks.h * 0.5);
}

function drawLanes(g, plan) {
  plan.lanes.forEach((lane, index) => {
    const y = plan.bands.y + index * plan.row;
    g.textAlign = 'right';
    g.fillStyle = colour('text');
    g.fillText(lane.name.replace('controller', 'ctrl'), plan.left - plan.em * 0.5, y + plan.row / 2);
    if (lane.name.includes(':')) swatch(g, plan, lane.name, y);
    clipped(g, plan, () => lane.bars.forEach((bar) => drawBar(g, plan, bar, y)));
  });
  if (plan.hidden > 0) {
    g.textAlign = 'left';
    g.fillStyle = colour('dim');
    g.fillText(`+${plan.hidden} more lanes`, plan.em * 0.2, plan.height - plan.em * 0.6);
  }
}

/** The colour that a path has in the throughput. */
function swatch(g, plan, path, y) {
  const { fill, alpha } = pathColour(path);
  g.globalAlpha = alpha;
  g.fillStyle = fill;
  g.fillRect(plan.left - plan.em * 0.4, y + plan.em * 0.1, plan.em * 0.3, plan.row - plan.em * 0.25);
  g.globalAlpha = 1;
}

function drawBar(g, plan, bar, y) {
  const [from, to] = [Math.max(plan.left, plan.x(bar.from)), plan.x(bar.to ?? plan.to)];
  if (to < plan.left || from > plan.right) return;
  const w = Math.max(to - from, 2);
  const high = plan.row - plan.em * 0.15;
  const owner = /^owner(\d)$/.exec(bar.health);
  g.fillStyle = colour(owner ? `hue${owner[1]}` : bar.health);
  const thin = bar.health === 'good' ? 0.4 : 1;
  g.fillRect(from, y + (high * (1 - thin)) / 2, w, high * thin);
  const label = bar.health === 'good' ? 0 : g.measureText(bar.label).width + plan.em * 0.6;
  const fits = label > 0 && w >= label;
  if (bar.health === 'bad') stripes(g, from + (fits ? label : 0), y, w - (fits ? label : 0), high);
  if (!fits) return;
  g.textAlign = 'left';
  g.fillStyle = colour('on');
  g.fillText(bar.label, from + plan.em * 0.3, y + high / 2 + 0.5);
}

/** The cursor, and what there was at its time. */
function drawCursor(g, plan, ticks) {
  const t = plan.t(view.hover);
  g.strokeStyle = colour('text');
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(view.hover, 0);
  g.lineTo(view.hover, plan.height - plan.em * 1.4);
  g.stroke();
  const said = wordsAt(t, ticks, plan);
  tip.replaceChildren(h('strong', {}, clock(Math.max(t, 0))), ...said.map((line) => h('div', {}, line)));
  tip.hidden = false;
  const left = view.hover > plan.width / 2;
  tip.style.left = left ? 'auto' : `${view.hover + 12}px`;
  tip.style.right = left ? `${plan.width - view.hover + 12}px` : 'auto';
}

function wordsAt(t, ticks, plan) {
  const tick = ticks.find((one) => one.t >= t);
  const lines = [];
  for (const one of tick?.paths ?? []) {
    const most = Math.max(...one.latencies, 0);
    const failed = one.failed ? `, ${one.failed} failed` : '';
    lines.push(`${one.path}  ${size(one.bytes / tick.seconds)}/s, ${count(one.good / tick.seconds)} IO/s${most ? `, ≤ ${latency(most)}` : ''}${failed}`);
  }
  const near = (plan.to - plan.from) / 120;
  for (const mark of of.marks.filter((one) => Math.abs(one.t - t) < near).slice(0, 4)) lines.push(`${SIGNS[mark.kind]} ${mark.label}`);
  for (const { name, bars } of plan.lanes) {
    const bar = bars.find((one) => one.from <= t && (one.to ?? Infinity) > t);
    if (bar && (bar.health !== 'good' || name.startsWith('lun'))) lines.push(`${name}: ${bar.label}`);
  }
  return lines.slice(0, 14);
}
