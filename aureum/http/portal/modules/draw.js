// @ts-check
// A signature drawn with a finger, a pen or a mouse. What is drawn goes into the form as a PNG; the name can be typed
// instead, which needs no script. The picture has the same size on every screen, so turning a phone loses nothing.

/** @typedef {{ x: number, y: number }} Point */

const WIDTH = 900, HEIGHT = 300, LINE = 5;
const MOST = 64 * 1024;

const box = document.querySelector("[data-draw]");
const canvas = box?.querySelector("canvas");
const pen = canvas?.getContext("2d");
const kept = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=drawn]"));

/** @type {Point[][]} */
let strokes = [];

/** What an earlier try has left, under the new strokes. @type {ImageBitmap | null} */
let before = null;

/** @param {PointerEvent} event @param {HTMLCanvasElement} on @returns {Point} */
function at(event, on) {
  const shown = on.getBoundingClientRect();
  return {
    x: Math.round(((event.clientX - shown.left) * WIDTH) / shown.width),
    y: Math.round(((event.clientY - shown.top) * HEIGHT) / shown.height),
  };
}

/** @param {CanvasRenderingContext2D} on @param {Point[]} points */
function line(on, points) {
  const [first] = points;
  on.beginPath();
  on.moveTo(first.x, first.y);
  // Through the middles between points: a curve without corners. A tap is a dot.
  for (let place = 1; place < points.length; place += 1) {
    const from = points[place - 1], to = points[place];
    on.quadraticCurveTo(from.x, from.y, (from.x + to.x) / 2, (from.y + to.y) / 2);
  }
  const last = points[points.length - 1];
  on.lineTo(last.x, last.y);
  on.stroke();
}

function draw() {
  if (!pen) return;
  pen.clearRect(0, 0, WIDTH, HEIGHT);
  if (before) pen.drawImage(before, 0, 0, WIDTH, HEIGHT);
  pen.lineWidth = LINE;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "#000";
  for (const points of strokes) line(pen, points);
}

/** The drawing as the form sends it; in half the size if it is too large. @param {HTMLCanvasElement} from */
function picture(from) {
  const whole = from.toDataURL("image/png");
  if (whole.length * 3 / 4 <= MOST) return whole;
  const small = document.createElement("canvas");
  small.width = WIDTH / 2;
  small.height = HEIGHT / 2;
  small.getContext("2d")?.drawImage(from, 0, 0, small.width, small.height);
  return small.toDataURL("image/png");
}

function keep() {
  if (!canvas || !kept) return;
  draw();
  kept.value = strokes.length || before ? picture(canvas) : "";
}

/** The method that is chosen shows its part of the form. */
function choose() {
  const chosen = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=method]:checked"))?.value;
  for (const part of document.querySelectorAll("[data-method]"))
    if (part instanceof HTMLElement) part.hidden = part.dataset.method !== chosen;
}

/** A drawing that the form was sent with, after it came back for another reason. */
async function restore() {
  const [, data] = kept?.value.split(",") ?? [];
  if (!data) return;
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  before = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  draw();
}

if (box && canvas && pen && kept) {
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  for (const hidden of document.querySelectorAll("[data-script]")) hidden.removeAttribute("hidden");
  choose();
  restore();
  document.addEventListener("change", choose);

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    strokes.push([at(event, canvas)]);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    const stroke = strokes[strokes.length - 1];
    if (!stroke || !canvas.hasPointerCapture(event.pointerId)) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    stroke.push(...(moves.length ? moves : [event]).map((move) => at(move, canvas)));
    draw();
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"]))
    canvas.addEventListener(end, keep);

  box.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button");
    if (!button) return;
    if (button.dataset.do === "undo") strokes.pop();
    else [strokes, before] = [[], null];
    keep();
  });
}
