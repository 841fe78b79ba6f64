// Elements made in one expression, and canvases that are as sharp as the screen.

/** An element: properties and attributes (`class`, `aria-…`, `data-…`, `on…` listeners), children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "class" || name.includes("-") || name === "for" || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Give a canvas as many pixels as it takes on the screen, or a share of them; its size in CSS px. */
export function fitCanvas(canvas, share = 1) {
  const ratio = share * Math.min(window.devicePixelRatio || 1, 2);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [across, down] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  return { width, height, ratio };
}

/** A canvas cleared to be drawn on in CSS px: its context and size. */
export function cleared(canvas, share = 1) {
  const { width, height, ratio } = fitCanvas(canvas, share);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** A button that stays pressed: `onChange` is told, and the button returned. */
export function toggle(text, isOn, onChange, properties = {}) {
  const button = make("button", {
    type: "button", "aria-pressed": String(isOn), class: "toggle", ...properties,
    onClick: () => {
      const now = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(now));
      onChange(now);
    },
  }, text);
  return button;
}

export function clock(time) {
  const minutes = Math.floor(Math.max(time, 0) / 60);
  return `${minutes}:${(Math.max(time, 0) - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}
