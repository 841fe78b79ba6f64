// Dark and light: what is drawn on canvases in either, and people's colours.

const WHITE = [1, 1, 1];
const STORED = "video3d-theme";

const LOOKS = {
  dark: {
    floor: [0.157, 0.176, 0.216, 0.9], line: [0.42, 0.47, 0.55, 0.9], frustum: [0.75, 0.79, 0.86],
    left: 0.58, middle: 0.3, quiet: "#9aa4b5", rule: "#333b49", ground: "#161920",
  },
  light: {
    floor: [0.87, 0.89, 0.92, 0.9], line: [0.55, 0.6, 0.68, 0.9], frustum: [0.35, 0.4, 0.48],
    left: 0.45, middle: 0.2, quiet: "#566173", rule: "#d3d9e2", ground: "#f4f6f9",
  },
};

export function theme() {
  return document.documentElement.dataset.theme === "light" ? "light" : "dark";
}

export function look() {
  return LOOKS[theme()];
}

export function setTheme(name) {
  document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem(STORED, name);
  } catch { /* pages from disk may have no storage */ }
}

/** The theme of last time, else the system's. */
export function firstTheme() {
  let stored = null;
  try {
    stored = localStorage.getItem(STORED);
  } catch { /* as above */ }
  return stored ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
}

/** A person's colour [r, g, b] in 0…1 on a side: l, r or m. */
export function colour(hue, side = "r") {
  const share = { l: look().left, m: look().middle, r: 0 }[side];
  return hue.map((value, i) => value / 255 + (WHITE[i] - value / 255) * share);
}

export function css(rgb, alpha = 1) {
  return `rgb(${rgb.map((value) => Math.round(255 * value)).join(" ")} / ${alpha})`;
}
