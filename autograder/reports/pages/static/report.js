// Draws the charts with Observable Plot; sorts and filters the table and the answers.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const whole = new Intl.NumberFormat("en");

  // Charts: each is drawn anew when its width changes; colours come from the style sheet.
  const students = data.students;
  const KINDS = ["passes both checks", "does not"];
  const measured = students
    .filter((student) => student.accuracy !== null && student.parameters > 0)
    .map((student) => ({ ...student, kind: KINDS[student.passes ? 0 : 1] }));
  const nameAt = new Map(students.map((student) => [student.link, student.name]));
  const style = { background: "transparent", fontSize: "12px", fontFamily: "inherit" };
  const integers = (value) => (Number.isInteger(value) ? whole.format(value) : "");
  const counted = (count, what) => `${whole.format(count)} ${what}${count === 1 ? "" : "s"}`;

  // The share of images misread, on a logarithmic axis, where 0 has no place.
  const errorOf = (student) => Math.max(1 - student.accuracy, 5e-5);

  function networks(width) {
    const sizes = measured.map((student) => student.parameters).concat(data.budget);
    const [smallest, largest] = [Math.min(...sizes) / 1.5, Math.max(...sizes) * 1.5];
    const wanted = 1 - data.threshold;
    const errors = measured.map(errorOf).concat(wanted);
    const [least, most] = [Math.min(...errors) / 1.3, 1];
    const tens = d3.range(Math.floor(Math.log10(smallest)), Math.log10(largest)).map((n) => 10 ** n);
    const ticks = tens.flatMap((ten) => (width < 500 ? [ten] : [ten, 2 * ten]))
      .filter((tick) => tick >= smallest && tick <= largest);
    const shares = [0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].filter((tick) => tick >= least);
    const told = (share) => `${+(share * 100).toPrecision(3)} %`;
    const tip = (student) =>
      `${student.name}\n${told(1 - student.accuracy)} misread, ${whole.format(student.parameters)} parameters` +
      (student.score === null ? "" : `\n${student.score} points`);
    const missing = students.length - measured.length;
    const label = { textAnchor: "start", fill: "var(--ink)", stroke: "var(--paper)", strokeWidth: 4 };
    return Plot.plot({
      width, height: Math.min(460, Math.max(340, width * 0.45)), style,
      marginLeft: 56, marginRight: 16, marginTop: 28, marginBottom: 44,
      caption: missing ? `Not shown: ${counted(missing, "submission")} without a measured network.` : undefined,
      x: { type: "log", label: "parameters →", domain: [smallest, largest], ticks, tickFormat: "~s", grid: true },
      y: { type: "log", label: "↑ test images misread", domain: [least, most], ticks: shares, tickFormat: told, grid: true },
      color: { domain: KINDS, range: ["var(--good)", "var(--poor)"] },
      symbol: { domain: KINDS, range: ["circle", "triangle"], legend: true },
      marks: [
        Plot.rect([0], { x1: smallest, x2: data.budget, y1: least, y2: wanted, fill: "var(--bar)",
          fillOpacity: 0.15, ariaLabel: () => "the goal" }),
        Plot.ruleY([wanted], { stroke: "var(--ink)", strokeDasharray: "5 3" }),
        Plot.ruleX([data.budget], { stroke: "var(--ink)", strokeDasharray: "5 3" }),
        Plot.ruleY([1 - data.guessing], { stroke: "var(--ink-soft)", strokeDasharray: "1 3" }),
        Plot.text([1 - data.guessing], { y: (d) => d, x: smallest, text: (d) => `guessing: ${told(d)}`, dx: 4, dy: 9, ...label }),
        Plot.text([wanted], { y: (d) => d, x: smallest, text: (d) => `threshold: ${told(d)}`, dx: 4, dy: -9, ...label }),
        Plot.dot(measured, {
          x: "parameters", y: errorOf, href: "link", title: tip, tip: { lineHeight: 1.3 }, r: 4,
          fill: "kind", symbol: "kind", fillOpacity: 0.65,
        }),
        Plot.text([data.budget], { x: (d) => d, text: (d) => `budget ${whole.format(d)}`,
          frameAnchor: "top", dy: -14, fill: "var(--ink)" }),
      ],
    });
  }

  // Those without a score stand in a bar of their own, beyond the full score.
  function scores(width) {
    const step = data.maxScore / 20;
    const unscored = students.filter((student) => student.score === null).length;
    const most = data.maxScore + (unscored ? 3 * step : 0);
    const bars = data.scores.map(([low, high, count]) => ({
      low, high, count, told: `${low} to ${high === data.maxScore ? "" : "below "}${high} points: ${counted(count, "student")}` }));
    const none = [{ low: data.maxScore + 2 * step, high: most, count: unscored,
      told: `without a score: ${counted(unscored, "student")}` }].filter((bar) => bar.count);
    const place = { x1: "low", x2: "high", y1: 0, y2: "count", title: "told", ariaLabel: "told", tip: true };
    return Plot.plot({
      width, height: 240, style, marginLeft: 44, marginRight: 24, marginBottom: 44,
      x: { label: "score →", domain: [0, most], ticks: d3.range(0, 1.1, 0.2).map((share) => share * data.maxScore) },
      y: { label: "↑ students", grid: true, tickFormat: integers },
      marks: [
        Plot.rectY(bars, { ...place, fill: "var(--bar)" }),
        Plot.rectY(none, { ...place, fill: "var(--poor)" }),
        Plot.text(none, { x: "high", y: 0, text: ["none"], dy: 14, dx: -8, fill: "var(--ink)" }),
        Plot.ruleY([0]),
      ],
    });
  }

  function checks(width) {
    const scored = students.filter((student) => student.score !== null).length;
    const rows = data.checks.map(([name, count]) => ({ name, count, told: `${whole.format(count)} of ${whole.format(scored)}` }));
    return Plot.plot({
      width, height: 64 + rows.length * 24, style, marginLeft: 140, marginRight: 60, marginTop: 8, marginBottom: 44,
      x: { label: "of those with a score →", domain: [0, scored], tickFormat: integers, ticks: 3, grid: true },
      y: { label: null, domain: rows.map((row) => row.name) },
      marks: [
        Plot.barX(rows, { x: "count", y: "name", fill: "var(--bar)", ariaLabel: (row) => `${row.name}: ${row.told}` }),
        Plot.text(rows, { x: "count", y: "name", text: "told", textAnchor: "start", dx: 4, fill: "var(--ink)" }),
      ],
    });
  }

  function keepDrawn(id, draw, isEmpty, whyEmpty, summary) {
    const place = byId(id);
    if (isEmpty) {
      place.textContent = students.length ? whyEmpty : "No submission is there yet.";
      place.classList.add("empty");
      return;
    }
    let drawnWidth = 0;
    const redraw = () => {
      drawnWidth = place.clientWidth;
      const chart = draw(drawnWidth);
      const svg = chart.matches("svg") ? chart : chart.querySelector(":scope > svg");
      svg.setAttribute("role", "group");
      svg.setAttribute("aria-label", summary);
      // The table below holds the same links: a thousand stops on the way there would be too many.
      for (const link of chart.querySelectorAll("a")) {
        link.setAttribute("tabindex", "-1");
        link.setAttribute("aria-label", nameAt.get(link.href.baseVal));
      }
      for (const named of chart.querySelectorAll("svg [aria-label]:not(a)")) {
        named.setAttribute("role", named.matches("g") ? "group" : "img");
      }
      place.replaceChildren(chart);
    };
    new ResizeObserver(() => { if (place.clientWidth !== drawnWidth) redraw(); }).observe(place);
    redraw();
  }

  keepDrawn("chart-networks", networks, measured.length === 0, "No network could be measured.",
    `Error against parameters of ${measured.length} networks`);
  keepDrawn("chart-scores", scores, students.length === 0, "", `Scores of ${students.length} submissions`);
  keepDrawn("chart-checks", checks, data.checks.length === 0, "No submission has a score.", "Number of submissions that passed each check");

  // The table.
  const table = byId("table");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const names = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  function sortBy(header) {
    const column = header.cellIndex;
    const first = header.firstElementChild.dataset.first || "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const direction = header.getAttribute("aria-sort") === first ? other : first;
    for (const each of table.tHead.rows[0].cells) {
      if (each.hasAttribute("aria-sort")) each.setAttribute("aria-sort", each === header ? direction : "none");
    }
    const sign = direction === "ascending" ? 1 : -1;
    const isNumeric = header.classList.contains("right");
    const keyed = rows.map((row) => [row.cells[column].dataset.sort, row]);
    keyed.sort(([a], [b]) => {
      if (a === "" || b === "") return (a === "") - (b === ""); // what is not known comes last
      return sign * (isNumeric ? a - b : names.compare(a, b));
    });
    body.append(...keyed.map(([, row]) => row));
  }
  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => sortBy(button.parentElement));
  }

  function filterRows() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdict = byId("verdict").value;
    let shown = 0;
    for (const row of rows) {
      const fits = (!verdict || row.dataset.verdict === verdict) && words.every((word) => row.dataset.words.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    byId("shown").textContent = `${whole.format(shown)} shown`;
  }
  byId("filters").addEventListener("input", filterRows);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  // The rows of a large class come hidden, so that the page opens at once, and are shown when the
  // browser has time.
  requestIdleCallback(filterRows, { timeout: 1000 });
})();
