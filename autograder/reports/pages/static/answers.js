// The reflections: one question at a time, searched, ordered, and marked by hand.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const form = byId("answer-filters");
  const questions = Array.from(document.querySelectorAll(".question"));
  const answersOf = new Map(questions.map((question) => [question, Array.from(question.querySelectorAll(".answer"))]));
  const answers = Array.from(answersOf.values()).flat();
  const pointsOf = (answer) => answer.querySelector("input.points");
  const commentOf = (answer) => answer.querySelector("input[type=text]");
  // No number field: that swallows the comma of 7,5 where the browser speaks English.
  const plain = (points) => points.value.trim().replace(",", ".");
  const isMarked = (answer) => Boolean(pointsOf(answer) && plain(pointsOf(answer)));

  // What is typed stays in this browser, since a page in a file cannot write to the folder it lies in.
  const assignment = JSON.parse(byId("data").textContent).assignment;
  const place = `m5 marks ${assignment} ${location.pathname}`;
  const nameOf = (answer) => `${answer.closest(".question").dataset.question} ${answer.dataset.submission}`;
  let isKept = true;
  let isSaved = true;
  function keep(marks) {
    try {
      localStorage.setItem(place, JSON.stringify(marks));
    } catch {
      isKept = false;
    }
    byId("kept").hidden = !isKept;
    byId("not-kept").hidden = isKept;
  }
  let marks = {};
  try {
    const found = JSON.parse(localStorage.getItem(place) ?? "{}");
    if (found && typeof found === "object") marks = found;
  } catch { /* storage is switched off or holds something else: begin anew */ }
  for (const answer of answers) {
    const mark = marks[nameOf(answer)];
    if (!pointsOf(answer) || !Array.isArray(mark)) continue;
    [pointsOf(answer).value, commentOf(answer).value] = mark;
  }
  keep(marks);
  addEventListener("beforeunload", (event) => {
    if (!isKept && !isSaved) event.preventDefault();
  });

  function show() {
    const chosen = form.elements.question.value;
    const words = byId("answer-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = byId("answer-shown").value;
    for (const [question, found] of answersOf) {
      question.hidden = question.dataset.question !== chosen;
      if (question.hidden) continue;
      for (const answer of found) {
        const text = words.length ? (answer.dataset.submission + answer.textContent).toLowerCase() : "";
        const fits = wanted === "open" ? !isMarked(answer) : wanted !== "odd" || answer.dataset.odd === "yes";
        answer.hidden = !fits || !words.every((word) => text.includes(word));
      }
    }
    count();
  }
  function count() {
    const found = answersOf.get(questions.find((question) => !question.hidden)) ?? [];
    const shown = found.filter((answer) => !answer.hidden).length;
    const marked = found.filter(isMarked).length;
    byId("answers-shown").textContent = `${shown.toLocaleString("en")} shown, ${marked.toLocaleString("en")} of ${found.length.toLocaleString("en")} marked`;
  }
  const orders = { "": () => 0, short: (a, b) => a.dataset.length - b.dataset.length, long: (a, b) => b.dataset.length - a.dataset.length };
  function order() {
    const compare = orders[byId("answer-order").value];
    for (const [question, found] of answersOf) {
      question.querySelector(".answers").append(...found.slice().sort(compare));
    }
  }

  // Points to comment to the next student's points, and back.
  function go(answer, step) {
    const shown = Array.from(answer.parentElement.children).filter((each) => !each.hidden && pointsOf(each));
    const next = shown[shown.indexOf(answer) + step];
    if (!next) return;
    next.scrollIntoView({ block: "center" });
    pointsOf(next).focus();
  }
  const list = byId("reflections");
  list.addEventListener("keydown", (event) => {
    const answer = event.target.closest(".answer");
    if (event.key !== "Enter" || !answer || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    const isComment = event.target === commentOf(answer);
    if (event.shiftKey === isComment) (isComment ? pointsOf(answer) : commentOf(answer)).focus();
    else go(answer, event.shiftKey ? -1 : 1);
  });
  list.addEventListener("click", (event) => {
    const answer = event.target.closest(".answer");
    if (answer && event.target.tagName === "BUTTON") go(answer, event.target.className === "next" ? 1 : -1);
  });
  list.addEventListener("input", (event) => {
    const answer = event.target.closest(".answer");
    if (!answer) return;
    marks[nameOf(answer)] = [pointsOf(answer).value, commentOf(answer).value];
    isSaved = false;
    keep(marks);
    count();
  });

  function problemOf(answer) {
    const points = pointsOf(answer);
    const isNumber = /^\d*(\.\d{1,2})?$/.test(plain(points));
    if (!isNumber || Number(plain(points)) > Number(points.dataset.most)) {
      return `points are numbers from 0 to ${points.dataset.most} with at most two decimals`;
    }
    return commentOf(answer).value.trim() && !plain(points) ? "this comment has no points" : "";
  }
  // A spreadsheet would run a comment that begins so; the names come guarded.
  const guarded = (text) => (/^([=@]|[+-](?![\d.,]*$)(?=.*[\p{L}\p{N}_]))/u.test(text.normalize("NFKC")) ? `'${text}` : text);
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  byId("save-marks").addEventListener("click", () => {
    const marked = answers.filter(pointsOf);
    const wrong = marked.find(problemOf);
    byId("marks-problem").textContent = wrong ? `Not saved: ${problemOf(wrong)}.` : "";
    if (wrong) {
      form.elements.question.value = wrong.closest(".question").dataset.question;
      show();
      wrong.hidden = false;
      wrong.scrollIntoView({ block: "center" });
      pointsOf(wrong).focus();
      return;
    }
    const lines = ["submission,student,check,points,comment"];
    for (const answer of marked.filter(isMarked)) {
      const { submission, student } = answer.dataset;
      const check = answer.closest(".question").dataset.question;
      const comment = commentOf(answer).value.trim().replace(/\s+/g, " ");
      lines.push([quoted(submission), quoted(student), check, plain(pointsOf(answer)), quoted(guarded(comment))].join(","));
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
    link.download = "overrides.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    isSaved = true;
  });

  byId("answer-order").addEventListener("input", order);
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
