// Makes the picture of a story zoom and pan. Without it the picture shows the whole story.
"use strict";
(() => {
  const figure = document.getElementById("picture");
  const svg = figure && figure.querySelector("svg");
  if (!svg) return;
  const { series, width: finest } = JSON.parse(document.getElementById("picture-data").textContent);
  const number = (node, name) => Number(node.dataset[name]);
  const names = number(svg, "names"), width = number(svg, "width"), end = number(svg, "end");
  const bottom = number(svg, "bottom");
  // The shortest time that fills the picture, in seconds: events have microseconds.
  const shortest = Math.min(end, 2e-5);
  // The marks of a lane that are nearer to each other are shown as one, with their number.
  const near = 7;
  let from = 0, to = end;

  const x = (t) => names + ((t - from) / (to - from)) * width;
  const inside = (t) => t >= from && t <= to;
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const show = (node, shown) => node.setAttribute("visibility", shown ? "visible" : "hidden");
  const all = (query) => [...svg.querySelectorAll(query)];
  const make = (kind, attributes, text) => {
    const node = document.createElementNS(svg.namespaceURI, kind);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };

  const bars = all(".bar").map((bar) => ({
    bar, label: bar.nextElementSibling, from: number(bar, "a"),
    to: bar.dataset.b === undefined ? end : number(bar, "b"),
  }));
  const lanes = all("g").filter((lane) => lane.querySelector(":scope > .mark")).map((lane) => ({
    lane, marks: [...lane.querySelectorAll(":scope > .mark")].map((mark) => ({ mark, t: number(mark, "t") })),
  }));

  const drawBars = () => {
    for (const { bar, label, from: a, to: b } of bars) {
      const left = clamp(x(a), names, names + width), right = clamp(x(b), names, names + width);
      const seen = b >= from && a <= to;
      const wide = Math.max(right - left, 2);
      bar.setAttribute("x", left);
      bar.setAttribute("width", wide);
      label.setAttribute("x", left + 6);
      show(bar, seen);
      show(label, seen && wide > label.textContent.length * 7);
    }
  };

  const drawMarks = () => {
    for (const { lane, marks } of lanes) {
      lane.querySelectorAll(":scope > .crowd").forEach((node) => node.remove());
      let crowd = 0, last = -Infinity;
      const close = () => {
        if (crowd > 1) lane.append(make("text", { class: "crowd", x: last, y: 6 }, crowd));
      };
      for (const { mark, t } of marks) {
        show(mark, inside(t));
        if (!inside(t)) continue;
        const at = x(t);
        mark.setAttribute("cx", at);
        if (at - last >= near) { close(); crowd = 0; }
        crowd += 1;
        last = at;
      }
      close();
    }
  };

  const drawLatencies = () => {
    const chart = svg.querySelector(".latency");
    if (!chart) return;
    const high = number(chart, "height"), least = number(chart, "shortest");
    const decades = Math.max(Math.log10(number(chart, "longest") / least), 1);
    const y = (latency) => high - (Math.log10(Math.max(latency, least) / least) / decades) * high;
    const point = (t, latency) => inside(t / 1e6) ? `M${x(t / 1e6).toFixed(1)} ${y(latency / 1e6).toFixed(1)}h0` : "";
    const pointsOf = (bin) => point(bin[0], bin[1]) + (bin.length > 2 ? point(bin[2], bin[3]) : "");
    const paths = [...chart.querySelectorAll("path")];
    series.forEach(({ bins, failed }, index) => {
      paths[index].setAttribute("d", bins.map(pointsOf).join(""));
      paths[series.length + index].setAttribute("d", failed.map(([t, latency]) => point(t, latency)).join(""));
    });
  };

  const drawRates = () => {
    const chart = svg.querySelector(".rate");
    if (!chart) return;
    const high = number(chart, "height");
    const columns = clamp(Math.floor((to - from) / finest), 1, 160);
    const each = (to - from) / columns;
    const rates = series.map(({ bins }) => {
      const column = new Array(columns).fill(0);
      for (const bin of bins) {
        const at = Math.floor((bin[0] / 1e6 - from) / each);
        if (at >= 0 && at < columns) column[at] += (bin.length > 2 ? bin[4] : 1) / each;
      }
      return column;
    });
    const most = Math.max(1, ...rates.map((column) => Math.max(...column)));
    chart.querySelector(".most").textContent = `${most >= 10 ? most.toFixed(0) : most.toFixed(1)}/s`;
    const step = (rate) => `V${(high - (rate / most) * high).toFixed(1)}h${(width / columns).toFixed(2)}`;
    [...chart.querySelectorAll("path")].forEach((path, index) => {
      path.setAttribute("d", `M${names} ${high}${rates[index].map(step).join("")}`);
    });
  };

  const drawAxis = () => {
    const axis = svg.querySelector(".axis");
    const span = to - from;
    const magnitude = 10 ** Math.floor(Math.log10(span / 12));
    const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((it) => span / it <= 12);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const nodes = [];
    // Labels of many digits need more room.
    const every = digits > 3 ? 2 : 1;
    for (let tick = Math.ceil(from / step - 1e-9); tick * step <= to * (1 + 1e-12); tick += 1) {
      const at = x(tick * step);
      nodes.push(make("line", { x1: at, x2: at, y1: 0, y2: bottom + 4 }));
      if (tick % every === 0) {
        nodes.push(make("text", { class: "tick", x: at, y: bottom + 18 }, `${(tick * step).toFixed(digits)} s`));
      }
    }
    axis.replaceChildren(...nodes);
  };

  let asked = false;
  const draw = () => {
    asked = false;
    drawAxis();
    drawBars();
    drawMarks();
    drawLatencies();
    drawRates();
  };
  const look = (a, b) => {
    const span = clamp(b - a, shortest, end);
    from = clamp(a, 0, end - span);
    to = from + span;
    if (!asked) { asked = true; requestAnimationFrame(draw); }
  };
  const zoom = (factor, around = (from + to) / 2) => {
    const span = clamp((to - from) * factor, shortest, end);
    const before = (around - from) / (to - from);
    look(around - before * span, around + (1 - before) * span);
  };
  const pan = (part) => look(from + part * (to - from), to + part * (to - from));
  const time = (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    return from + clamp((at - names) / width, 0, 1) * (to - from);
  };

  svg.addEventListener("wheel", (event) => {
    // The wheel alone scrolls the page.
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    zoom((event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8, time(event));
  }, { passive: false });
  svg.addEventListener("dblclick", (event) => zoom(0.2, time(event)));
  let drag = null;
  svg.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, from, to };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const units = ((event.clientX - drag.x) / svg.getBoundingClientRect().width) * svg.viewBox.baseVal.width;
    const by = (units / width) * (drag.to - drag.from);
    look(drag.from - by, drag.to - by);
  });
  for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => { drag = null; });
  const keys = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => look(0, end),
    ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25),
  };
  figure.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  });

  const tools = document.createElement("p");
  tools.className = "tools";
  const button = (text, title, act) => {
    const node = document.createElement("button");
    node.type = "button";
    node.textContent = text;
    node.title = title;
    node.addEventListener("click", act);
    tools.append(node);
  };
  button("+", "closer (+, double click, Ctrl and wheel)", () => zoom(0.5));
  button("−", "farther (-)", () => zoom(2));
  button("←", "earlier (←, drag)", () => pan(-0.25));
  button("→", "later (→, drag)", () => pan(0.25));
  button("all", "the whole story (0)", () => look(0, end));
  figure.prepend(tools);

  // A row of the story leads to its moment.
  for (const row of document.querySelectorAll("tr[data-t]")) {
    row.title = "show this moment in the picture";
    row.addEventListener("click", () => {
      const t = Number(row.dataset.t), last = Number(row.dataset.last ?? row.dataset.t);
      const around = Math.max((last - t) / 2, end / 1000);
      look(t - around, last + around);
      figure.scrollIntoView({ block: "nearest" });
    });
  }
  // A link to a part: report.html#t=1.25-1.30
  const part = /^#t=([0-9.]+)-([0-9.]+)$/.exec(location.hash);
  if (part) look(Number(part[1]), Number(part[2]));
})();
