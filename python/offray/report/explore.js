// SPDX-License-Identifier: Apache-2.0
"use strict";
// Predictions over the plane of parameters and tokens, and what further runs change of them. All in logarithms of N and D.
(() => {
  const fit = JSON.parse(document.getElementById("explorer").textContent);
  const byId = (id) => document.getElementById(id);
  const unpacked = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const G = fit.steps, [n0, n1] = fit.N, [d0, d1] = fit.D;
  const loss = unpacked(fit.loss), u = unpacked(fit.u), c = unpacked(fit.c);
  const LN10 = Math.log(10), PER_TOKEN = Math.log(6), ONE_RAY = 1.1, UNKNOWN = 0.05;
  const range = (n, f) => Array.from({ length: n }, (_, i) => f(i));

  // Catmull-Rom weights of four neighbours; straight on beyond the ends.
  function weights(x) {
    const i = Math.min(Math.max(Math.floor(x), 0), G - 2), t = Math.min(Math.max(x - i, 0), 1);
    const w = [-t * (1 - t) ** 2 / 2, (3 * t ** 3 - 5 * t ** 2 + 2) / 2, (-3 * t ** 3 + 4 * t ** 2 + t) / 2, t ** 2 * (t - 1) / 2];
    const out = new Map();
    const add = (k, v) => out.set(k, (out.get(k) || 0) + v);
    w.forEach((v, m) => {
      const k = i - 1 + m;
      if (k < 0) { add(0, 2 * v); add(1, -v); } else if (k > G - 1) { add(G - 1, 2 * v); add(G - 2, -v); } else add(k, v);
    });
    return [...out];
  }
  function at(field, parts, n, d) {
    const across = weights((n - n0) / (n1 - n0) * (G - 1)), up = weights((d - d0) / (d1 - d0) * (G - 1));
    const out = new Float64Array(parts);
    for (const [row, a] of up) for (const [col, b] of across) {
      const from = (row * G + col) * parts;
      for (let k = 0; k < parts; k++) out[k] += a * b * field[from + k];
    }
    return out;
  }
  function along(field, n) {
    let out = 0;
    for (const [k, w] of weights((n - n0) / (n1 - n0) * (G - 1))) out += w * field[k];
    return out;
  }

  // What the runs know: M with variance s^2 u' M u, and the Gram matrix of unit columns, for kappa.
  const r = fit.parts, m = fit.columns;
  const start = () => ({ M: range(r, (i) => range(r, (j) => (i === j ? 1 : 0))), gram: range(m, (i) => range(m, (j) => gram0[i * m + j])), runs: 0 });
  const gram0 = unpacked(fit.gram);
  const times = (A, x) => A.map((row) => row.reduce((sum, a, j) => sum + a * x[j], 0));
  const dot = (x, y) => x.reduce((sum, a, j) => sum + a * y[j], 0);
  function withRun(state, n, d) {
    const x = [...at(u, r, n, d)], Mx = times(state.M, x), below = 1 + dot(x, Mx), g = [...at(c, m, n, d)];
    return {
      M: state.M.map((row, i) => row.map((v, j) => v - Mx[i] * Mx[j] / below)),
      gram: state.gram.map((row, i) => row.map((v, j) => v + g[i] * g[j])),
      runs: state.runs + 1,
    };
  }
  function sd(state, x) { return fit.s * Math.sqrt(Math.max(dot(x, times(state.M, x)), 0)); }
  // Square root of the ratio of the largest to the smallest eigenvalue of the Gram matrix with a unit diagonal, by Jacobi.
  function kappa(gram) {
    const A = gram.map((row, i) => row.map((v, j) => v / Math.sqrt(gram[i][i] * gram[j][j])));
    for (let sweep = 0; sweep < 30; sweep++) for (let p = 0; p < m; p++) for (let q = p + 1; q < m; q++) {
      if (Math.abs(A[p][q]) < 1e-300) continue;
      const theta = (A[q][q] - A[p][p]) / (2 * A[p][q]), t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const cs = 1 / Math.hypot(t, 1), sn = t * cs;
      for (let k = 0; k < m; k++) { const a = A[k][p], b = A[k][q]; A[k][p] = cs * a - sn * b; A[k][q] = sn * a + cs * b; }
      for (let k = 0; k < m; k++) { const a = A[p][k], b = A[q][k]; A[p][k] = cs * a - sn * b; A[q][k] = sn * a + cs * b; }
    }
    const values = range(m, (i) => A[i][i]);
    return Math.sqrt(Math.max(...values) / Math.max(Math.min(...values), 0));
  }

  // Words.
  const digits = (x, n = 3) => Number(x.toPrecision(n)).toString();
  const raised = (e) => String(e).replace(/./g, (s) => "⁻0123456789".includes(s) || s === "-" ? { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" }[s] : s);
  function power(x) { const e = Math.floor(Math.log10(x) + 1e-9); return `${(x / 10 ** e).toFixed(1)}·10${raised(e)}`; }
  function count(x) {
    for (const [unit, size] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["k", 1e3]]) if (x >= 0.9995 * size) return `${digits(x / size)} ${unit}`;
    return digits(x);
  }

  // State: the sliders' model, the run that is dragged, those that are kept.
  const C0 = Math.min(...fit.runs.map(([N, D]) => Math.log(6 * N * D))), C1 = Math.log(fit.largest) + Math.log(100);
  const ks = fit.runs.map(([N, D]) => Math.log(D / N)), k0 = Math.min(...ks) - Math.log(5), k1 = Math.max(...ks) + Math.log(5);
  const middle = (Math.min(...ks) + Math.max(...ks)) / 2;
  let known = start(), C = Math.log(fit.largest), k = middle;
  let run = { n: (2 * n0 + n1) / 3, d: (d0 + 2 * d1) / 3 };
  const first = new URLSearchParams(location.hash.slice(1).replace(/\+/g, "%2B"));  // 1e+21
  const given = (name) => (Number(first.get(name)) > 0 ? Math.log(Number(first.get(name))) : null);
  C = given("C") ?? C; k = given("k") ?? k;
  run = { n: given("N") ?? run.n, d: given("D") ?? run.d };
  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

  // The plane: a canvas for what is known, an SVG for what is where.
  const W = 360, H = 300, left = 8, right = 352, top = 8, bottom = 292;
  const X = (n) => left + (n - n0) / (n1 - n0) * (right - left), Y = (d) => bottom - (d - d0) / (d1 - d0) * (bottom - top);
  const svg = byId("plane"), NS = "http://www.w3.org/2000/svg";
  function shape(tag, attributes, parent = svg) {
    const out = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) out.setAttribute(name, value);
    parent.append(out);
    return out;
  }
  function label(text, x, y, anchor) { shape("text", { x, y, "text-anchor": anchor }).textContent = text; }
  for (let e = Math.ceil(n0 / LN10); e * LN10 <= n1; e++) if (Math.abs(X(e * LN10) - W / 2) < W / 2 - 26) label(count(10 ** e), X(e * LN10), bottom - 3, "middle");
  for (let e = Math.ceil(d0 / LN10); e * LN10 <= d1; e++) if (Y(e * LN10) < bottom - 20 && Y(e * LN10) > top + 20) label(count(10 ** e), left + 2, Y(e * LN10) + 3, "start");
  label("parameters N →", right - 4, bottom - 16, "end");
  label("↑ tokens D", left + 4, top + 10, "start");
  for (const [N, D] of fit.runs) shape("circle", { cx: X(Math.log(N)), cy: Y(Math.log(D)), r: 2.6, fill: "var(--ink)", stroke: "var(--paper)" });
  const kept = shape("g", {});
  const model = shape("circle", { r: 7, fill: "none", stroke: "#D55E00", "stroke-width": 3 });
  const handle = shape("g", { id: "new", tabindex: 0, role: "slider", "aria-label": "one more run", "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": 0 });
  shape("circle", { r: 22, fill: "transparent" }, handle);
  shape("circle", { r: 11, fill: "none", class: "ring" }, handle);
  shape("path", { d: "M0,-8 L8,0 L0,8 L-8,0 Z", fill: "#D55E00", stroke: "var(--paper)", "stroke-width": 1.5 }, handle);

  const RAMP = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]];
  function color(x) {
    const y = clamp(x, 0, 1) * (RAMP.length - 1), i = Math.min(Math.floor(y), RAMP.length - 2), t = y - i;
    return RAMP[i].map((a, j) => Math.round(a + t * (RAMP[i + 1][j] - a)));
  }
  const across = 86, up = 71, cells = [];
  for (let j = 0; j < up; j++) for (let i = 0; i < across; i++) {
    const n = n0 + (i + 0.5) / across * (n1 - n0), d = d1 - (j + 0.5) / up * (d1 - d0);
    cells.push({ u: [...at(u, r, n, d)], loss: Math.exp(at(loss, 1, n, d)[0]) });
  }
  const inNats = (s, value) => (fit.log ? s * value : s);
  const before = cells.map((cell) => inNats(sd(known, cell.u), cell.loss));
  const least = Math.min(...before, inNats(fit.s, cells[0].loss)) / 1.5, most = Math.max(least * 10, Math.min(Math.max(...before), least * 300));
  byId("least").textContent = `s.d. ${digits(least, 2)}`;
  byId("most").textContent = `${digits(most, 2)} nats`;
  const canvas = byId("field"), pen = canvas.getContext("2d"), image = document.createElement("canvas");
  image.width = across; image.height = up;
  function paint(state) {
    const inner = image.getContext("2d"), pixels = inner.createImageData(across, up), open = [];
    cells.forEach((cell, at) => {
      const s = inNats(sd(state, cell.u), cell.loss);
      pixels.data.set([...color(Math.log(s / least) / Math.log(most / least)), 255], 4 * at);
      if (!(s < UNKNOWN * cell.loss)) open.push(at);
    });
    inner.putImageData(pixels, 0, 0);
    const scale = canvas.width / W, w = (right - left) / across * scale, h = (bottom - top) / up * scale;
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--paper"), grey = getComputedStyle(document.documentElement).getPropertyValue("--grey");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
    pen.strokeStyle = grey;
    for (const place of open) {
      const x = left * scale + (place % across) * w, y = top * scale + Math.floor(place / across) * h;
      pen.fillStyle = paper;
      pen.fillRect(x, y, w + 1, h + 1);
      if ((place % across + Math.floor(place / across)) % 2 === 0) { pen.beginPath(); pen.moveTo(x, y + h); pen.lineTo(x + w, y); pen.stroke(); }
    }
  }

  function show() {
    const n = (C - PER_TOKEN - k) / 2, d = n + k, state = withRun(known, run.n, run.d);
    const inside = n >= n0 && n <= n1 && d >= d0 && d <= d1;
    byId("budget").value = (C - C0) / (C1 - C0);
    byId("ratio").value = (k - k0) / (k1 - k0);
    byId("budget-shown").textContent = `${power(Math.exp(C))} FLOP`;
    byId("ratio-shown").textContent = digits(Math.exp(k));
    byId("model").textContent = `${count(Math.exp(n))} parameters, ${count(Math.exp(d))} tokens`;
    const x = [...at(u, r, n, d)], value = Math.exp(at(loss, 1, n, d)[0]);
    const ray = fit.ray && Math.max(Math.exp(k), fit.ray[1]) / Math.min(Math.exp(k), fit.ray[0]) < ONE_RAY;
    if (!inside) byId("loss").textContent = "beyond this picture";
    else if (fit.law === "fitted") byId("loss").textContent = band(value, inNats(sd(known, x), value), C);
    else if (ray) byId("loss").textContent = band(Math.exp(along(unpacked(fit.along.loss), n)), Math.exp(along(unpacked(fit.along.se), n)), C);
    else if (!fit.ray) byId("loss").textContent = "not determined by these runs";
    else byId("loss").textContent = `not determined: all runs have ${digits(fit.ray[0])} tokens per parameter`;
    const s = inNats(sd(state, x), value);
    byId("after").textContent = !inside ? "beyond this picture" : s < UNKNOWN * value ? `known to ± ${digits(fit.t * s, 2)} nats${ray ? " by the full law" : ""}, if the law is true` : "still not known to 10 %";
    byId("kappa-name").hidden = byId("kappa").hidden = !fit.kappa;
    byId("kappa").textContent = `${large(kappa(start().gram))} → ${large(kappa(state.gram))}`;
    model.setAttribute("cx", X(n)); model.setAttribute("cy", Y(d)); model.style.display = inside ? "" : "none";
    handle.setAttribute("transform", `translate(${X(run.n)},${Y(run.d)})`);
    handle.setAttribute("aria-valuetext", `${count(Math.exp(run.n))} parameters, ${count(Math.exp(run.d))} tokens`);
    paint(state);
  }
  const large = (x) => (x < 1e5 ? digits(x) : "above 100000");
  function band(value, s, budget) {
    const beyond = Math.max(budget - Math.log(fit.largest), 0), half = Math.hypot(fit.t * s, fit.model * beyond * value);
    if (!(half < 0.5 * value)) return "not determined";
    return `${value.toFixed(3)} ± ${digits(half, 2)} nats per token`;
  }

  // Hands.
  function move(n, d) { run = { n: clamp(n, n0, n1), d: clamp(d, d0, d1) }; show(); }
  function place(event) {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * W, y = (event.clientY - box.top) / box.height * H;
    move(n0 + (x - left) / (right - left) * (n1 - n0), d0 + (bottom - y) / (bottom - top) * (d1 - d0));
  }
  let dragged = null;
  handle.addEventListener("pointerdown", (event) => { dragged = event.pointerId; event.preventDefault(); handle.focus(); });
  addEventListener("pointermove", (event) => { if (event.pointerId === dragged) place(event); });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { dragged = null; });
  svg.addEventListener("click", place);
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (step) { event.preventDefault(); move(run.n + 0.1 * step[0], run.d + 0.1 * step[1]); }
  });
  byId("budget").addEventListener("input", (event) => { C = C0 + Number(event.target.value) * (C1 - C0); show(); });
  byId("ratio").addEventListener("input", (event) => { k = k0 + Number(event.target.value) * (k1 - k0); show(); });
  byId("keep").addEventListener("click", () => {
    known = withRun(known, run.n, run.d);
    shape("path", { d: "M0,-6 L6,0 L0,6 L-6,0 Z", fill: "var(--ink)", stroke: "var(--paper)", transform: `translate(${X(run.n)},${Y(run.d)})` }, kept);
    move(run.n - 0.4, run.d - 0.4);
  });
  byId("reset").addEventListener("click", () => { known = start(); kept.replaceChildren(); show(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
})();
