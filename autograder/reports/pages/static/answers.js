// The reflections: one question at a time, searched, ordered, and marked by hand.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const form = byId("answer-filters");
  const questions = Array.from(document.querySelectorAll(".question"));
  const graded = new Map(questions.map((question) => [question, Array.from(question.querySelectorAll(".answer"))]));
  const orders = { "": () => 0, short: (a, b) => a.dataset.length - b.dataset.length, long: (a, b) => b.dataset.length - a.dataset.length };

  function show() {
    const chosen = form.elements.question.value;
    const words = byId("answer-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const accepted = byId("answer-accepted").value;
    for (const [question, answers] of graded) {
      question.hidden = question.dataset.question !== chosen;
      if (question.hidden) continue;
      let shown = 0;
      for (const answer of answers) {
        const text = words.length ? (answer.dataset.key + answer.textContent).toLowerCase() : "";
        const fits = (!accepted || answer.dataset.accepted === accepted) && words.every((word) => text.includes(word));
        answer.hidden = !fits;
        shown += fits;
      }
      byId("answers-shown").textContent = `${shown.toLocaleString("en")} shown`;
    }
  }
  function order() {
    const compare = orders[byId("answer-order").value];
    for (const [question, answers] of graded) {
      question.querySelector(".answers").append(...answers.slice().sort(compare));
    }
  }

  // Marks stay in this browser, since a page in a file cannot write to the folder it lies in.
  const place = `m5 marks ${location.pathname}`;
  const marks = new Map();
  try {
    for (const [key, value] of JSON.parse(localStorage.getItem(place) || "[]")) marks.set(key, value);
  } catch { /* storage is switched off or holds something else: begin anew */ }
  const nameOf = (answer) => `${answer.closest(".question").dataset.question} ${answer.dataset.key}`;
  for (const answer of Array.from(graded.values()).flat()) {
    answer.querySelector("input").value = marks.get(nameOf(answer)) ?? "";
  }
  byId("reflections").addEventListener("change", (event) => {
    const answer = event.target.closest(".answer");
    if (!answer) return;
    if (event.target.value) marks.set(nameOf(answer), event.target.value);
    else marks.delete(nameOf(answer));
    try {
      localStorage.setItem(place, JSON.stringify(Array.from(marks)));
    } catch { /* the marks are still on the page */ }
  });

  // A spreadsheet runs what begins with one of these signs; names come from strangers.
  const quoted = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  byId("save-marks").addEventListener("click", () => {
    const names = questions.map((question) => question.dataset.question);
    const keys = new Set(Array.from(graded.values()).flat().map((answer) => answer.dataset.key));
    const lines = [["submission", ...names].join(",")];
    for (const key of keys) {
      lines.push([quoted(key), ...names.map((name) => marks.get(`${name} ${key}`) ?? "")].join(","));
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
    link.download = "marks.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  byId("answer-order").addEventListener("input", order);
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
