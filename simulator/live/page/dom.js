// Building the page's elements. Text is always text: nothing here reads markup.

const SVG = 'http://www.w3.org/2000/svg';

/** Sets attributes; `on…` are listeners, `true` is an empty attribute, null and false are none. */
function dress(element, attributes) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  return element;
}

function filled(element, attributes, children) {
  dress(element, attributes);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element: `h('p', { class: 'note' }, 'text')`. */
export const h = (tag, attributes, ...children) =>
  filled(document.createElement(tag), attributes, children);

/** An SVG element. */
export const s = (tag, attributes, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

/** Changes attributes of an element that is there. */
export const change = dress;

/** The element with this id. */
export const at = (id) => document.getElementById(id);

/** A button that does something. */
export const button = (label, act, attributes) =>
  h('button', { type: 'button', onclick: act, ...attributes }, label);

/** A text that stays the same object if it is the same text, so that nothing is drawn again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Whether a pointer is pressed: what is drawn anew between press and release is not clicked. */
let pressed = false;
addEventListener('pointerdown', () => (pressed = true), true);
for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => (pressed = false), true);

/** Calls `draw` in the next frame in which nothing is pressed, once, however often it is asked for. */
export function perFrame(draw) {
  let asked = false;
  const frame = () => {
    if (pressed) return requestAnimationFrame(frame);
    asked = false;
    draw();
  };
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(frame);
  };
}

/** Whether keys that are typed here are text. */
export const isTyping = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(element.tagName));

/** A dialog with a title, which goes when it is closed. Returns it, already open. */
export function dialog(title, ...inside) {
  const box = h(
    'dialog',
    { 'aria-label': title, onclose: () => box.remove() },
    h('div', { class: 'head' }, h('h2', {}, title), button('Close', () => box.close())),
    ...inside,
  );
  document.body.append(box);
  box.showModal();
  return box;
}
