// Where everything is in the picture of the SAN. Four tiers, from left to right: the host with its
// HBAs, the links, the controllers with their ports, the LUNs.

/** A box of the picture. @typedef {{x: number, y: number, w: number, h: number}} Box */

const middle = (box) => box.y + box.h / 2;

/** A curve between two points at different x. */
function curve(from, to) {
  const bend = (to.x - from.x) * 0.45;
  return `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
}

/** The point at a part of the way along that curve, 0 to 1. */
function along(from, to, part) {
  const bend = (to.x - from.x) * 0.45;
  const rest = 1 - part;
  const mix = (a, b, c, d) =>
    rest ** 3 * a + 3 * rest ** 2 * part * b + 3 * rest * part ** 2 * c + part ** 3 * d;
  return {
    x: mix(from.x, from.x + bend, to.x - bend, to.x),
    y: mix(from.y, from.y, to.y, to.y),
  };
}

/** Boxes of these weights below each other, with a gap. */
function stack(weights, x, w, top, height, gap) {
  const free = height - gap * (weights.length - 1);
  const sum = weights.reduce((a, b) => a + b, 0);
  let y = top;
  return weights.map((weight) => {
    const box = { x, y, w, h: (free * weight) / sum };
    y += box.h + gap;
    return box;
  });
}

/** The height that the picture needs at least, in sizes of its text. */
export function least(status) {
  const arrays = status.arrays?.length ? status.arrays.length * 3 + 2.4 : 0;
  const ports = status.controllers.reduce((sum, one) => sum + one.ports.length * 1.6 + 2.7, arrays);
  return Math.max(ports, (status.luns.length / lunColumns(status)) * 1.75, status.hbas.length * 3 + 4, 12);
}

/**
 * The picture of a status in this space. It is higher than the space if that does not suffice.
 *
 * @param status the lab's Status
 * @param em the size of the text
 */
export function layout(status, width, height, em) {
  const margin = em * 0.5;
  const full = Math.max(height, least(status) * em);
  const inner = full - 2 * margin;
  const hostWidth = Math.min(em * 10, width * 0.17);
  const columns = lunColumns(status);
  const lunWidth = columns === 1 ? Math.min(Math.max(em * 15, width * 0.25), em * 22) : Math.min(em * 14 * columns, width * 0.36);
  const arrayWidth = Math.min(em * 13, width * 0.2);
  const lunX = width - margin - lunWidth;
  const arrayX = lunX - arrayWidth - Math.max(em * 3, width * 0.07);

  const host = { x: margin, y: margin, w: hostWidth, h: inner };
  const hbas = placeHbas(status, host, em);
  const arrays = placeArrays(status, arrayX, arrayWidth, margin, inner, em);
  const controllers = placeControllers(status, arrays, { x: arrayX, w: arrayWidth, y: margin, h: inner }, em);
  const luns = placeLuns(status, columns, { x: lunX, y: margin, w: lunWidth, h: inner }, em);
  return {
    width,
    height: full,
    host,
    hbas,
    links: placeLinks(status, hbas, controllers),
    arrays,
    witness: placeWitness(status, arrayX, arrayWidth, margin + inner, em),
    controllers,
    luns,
    owns: placeOwners(luns, controllers),
  };
}

function placeHbas(status, host, em) {
  const top = host.y + em * 3.6;
  const boxes = stack(
    status.hbas.map(() => 1), host.x + em * 0.6, host.w - em * 0.6,
    top, host.h - em * 4.2, em * 0.8,
  );
  const most = em * 4.5;
  return status.hbas.map((hba, index) => {
    const box = boxes[index];
    const h = Math.min(box.h, most);
    return { ...hba, ...box, y: middle(box) - h / 2, h };
  });
}

/** The room for the witness below several arrays. */
const forWitness = (status, em) => (status.arrays?.length ? em * 2.4 : 0);

/** A frame around the controllers of each array, if there are several. */
function placeArrays(status, x, w, top, height, em) {
  const arrays = status.arrays ?? [];
  const ports = (array) => status.controllers.filter((one) => array.controllers.includes(one.controller))
    .reduce((sum, one) => sum + one.ports.length + 1, 0);
  const boxes = stack(arrays.map(ports), x - em * 1.6, w + em * 2.2, top, height - forWitness(status, em), em * 0.8);
  return arrays.map((array, index) => ({ ...array, ...boxes[index] }));
}

function placeWitness(status, x, w, bottom, em) {
  if (!forWitness(status, em)) return null;
  return { x, w, y: bottom - em * 1.9, h: em * 1.9, there: status.witness !== false };
}

/** The controllers one below the other; those of several arrays each in its frame, below its name. */
function placeBoxes(status, arrays, place, em) {
  const weigh = (of) => of.map((one) => one.ports.length + 1);
  if (!arrays.length) return stack(weigh(status.controllers), place.x, place.w, place.y, place.h, em * 0.9);
  return arrays.flatMap((array) => {
    const own = status.controllers.filter((one) => array.controllers.includes(one.controller));
    return stack(weigh(own), place.x, place.w, array.y + em * 1.7, array.h - em * 2.2, em * 0.7);
  });
}

function placeControllers(status, arrays, place, em) {
  const boxes = placeBoxes(status, arrays, place, em);
  return status.controllers.map((controller, index) => {
    const box = boxes[index];
    const head = em * 2.3;
    const inside = stack(
      controller.ports.map(() => 1), box.x - em * 1.1, em * 4.4,
      box.y + head, box.h - head - em * 0.5, em * 0.4,
    );
    const ports = controller.ports.map((port, at) => {
      const h = Math.min(inside[at].h, em * 2.6);
      return { ...port, ...inside[at], y: middle(inside[at]) - h / 2, h };
    });
    return { ...controller, ...box, ports };
  });
}

/** LUNs in one column, or in two if there are many. */
const lunColumns = (status) => (status.luns.length > 8 ? 2 : 1);

function placeLuns(status, columns, place, em) {
  const rows = Math.ceil(status.luns.length / columns);
  const gap = em * (columns > 1 ? 0.35 : 0.45);
  const w = (place.w - gap * 2 * (columns - 1)) / columns;
  const boxes = stack(Array(rows).fill(1), place.x, w, place.y, place.h, gap);
  const most = em * 7;
  return status.luns.map((lun, index) => {
    const box = boxes[index % rows];
    const h = Math.min(box.h, most);
    return { ...lun, ...box, x: box.x + Math.floor(index / rows) * (w + gap * 2), y: middle(box) - h / 2, h };
  });
}

function placeLinks(status, hbas, controllers) {
  const ports = new Map(controllers.flatMap((one) => one.ports.map((port) => [port.port, port])));
  const seen = new Map();
  const before = (key) => {
    const n = seen.get(key) ?? 0;
    seen.set(key, n + 1);
    return n;
  };
  const total = (key, of) => status.links.filter((link) => link[key] === of).length;
  return status.links.flatMap((link) => {
    const hba = hbas.find((one) => one.hba === link.hba);
    const port = ports.get(link.port);
    if (!hba || !port) return [];
    const spread = (box, key, n) => box.y + (box.h * (n + 1)) / (total(key, link[key]) + 1);
    const from = { x: hba.x + hba.w, y: spread(hba, 'hba', before(`hba ${link.hba}`)) };
    const nth = before(`port ${link.port}`);
    const to = { x: port.x, y: spread(port, 'port', nth) };
    const chip = along(from, to, 0.76 - (nth % 4) * 0.17);
    return [{ ...link, from, to, d: curve(from, to), chip }];
  });
}

function placeOwners(luns, controllers) {
  const line = (lun, name) => {
    const controller = controllers.find((one) => one.controller === name);
    if (!controller) return null;
    const from = { x: controller.x + controller.w, y: middle(controller) };
    return curve(from, { x: lun.x, y: middle(lun) });
  };
  return luns.map((lun) => ({
    lun: lun.lun,
    owner: lun.owner,
    d: line(lun, lun.owner),
    preferred: lun.preferred !== lun.owner ? line(lun, lun.preferred) : null,
  }));
}

/** The nearest box in a direction, for the arrow keys. */
export function nearest(boxes, from, dx, dy) {
  let best = null;
  for (const to of boxes) {
    const [x, y] = [to.x - from.x, to.y - from.y];
    const ahead = x * dx + y * dy;
    if (ahead <= 4) continue;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    const far = ahead + aside * 2;
    if (!best || far < best.far) best = { to, far };
  }
  return best?.to ?? null;
}
