// Drawing on the charts' canvas: colours and small signs.

let colours = {};

/** A colour of the style sheet. */
export function colour(name) {
  colours[name] ??= getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  return colours[name];
}

/** The colours are others now. */
export function forget() {
  colours = {};
}

/** Stripes over a bar, for those who do not see its colour. */
export function stripes(g, x, y, w, high) {
  g.save();
  g.beginPath();
  g.rect(x, y, w, high);
  g.clip();
  g.strokeStyle = colour('stripe');
  g.lineWidth = 2;
  g.beginPath();
  for (let at = x - high; at < x + w; at += 7) {
    g.moveTo(at, y + high);
    g.lineTo(at + high, y);
  }
  g.stroke();
  g.restore();
}

/** A level line over the whole axis. */
export function rule(g, plan, y) {
  g.strokeStyle = colour('rule');
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(plan.left, Math.round(y) + 0.5);
  g.lineTo(plan.right, Math.round(y) + 0.5);
  g.stroke();
}

/** A cross: something failed. */
export function cross(g, x, y, r, stroke) {
  g.strokeStyle = stroke;
  g.lineWidth = 2;
  g.beginPath();
  g.moveTo(x - r, y - r);
  g.lineTo(x + r, y + r);
  g.moveTo(x - r, y + r);
  g.lineTo(x + r, y - r);
  g.stroke();
}

/** A diamond: a request that took long, with everything that the host did in between. */
export function diamond(g, x, y, r, fill) {
  g.fillStyle = fill;
  g.beginPath();
  g.moveTo(x, y - r);
  g.lineTo(x + r, y);
  g.lineTo(x, y + r);
  g.lineTo(x - r, y);
  g.fill();
}

/** A ring: the worst of its second. */
export function ring(g, x, y, r) {
  g.lineWidth = 1.3;
  g.beginPath();
  g.arc(x, y, r, 0, 7);
  g.stroke();
}

/** Draws inside the axis only. */
export function clipped(g, plan, draw) {
  g.save();
  g.beginPath();
  g.rect(plan.left, 0, plan.right - plan.left, plan.height);
  g.clip();
  draw();
  g.restore();
}
