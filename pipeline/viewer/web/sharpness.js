// How sharp moving pictures are drawn: with fewer pixels where the computer does not keep up and
// that helps, and with all of them again as soon as nothing moves.

const SLOW_MS = 24; // a picture on a screen of 60 Hz takes 17
const AWAY_MS = 500; // the page was in the background, not slow
const EVERY = 4; // pictures, of which one is timed
const TIMED = 7; // how many are timed before the median is looked at
const SHARES = [1, 0.7, 0.5]; // of the screen's pixels, along a side
const GAIN = 0.9; // what fewer pixels must bring, as a share of the time before
const STILL_MS = 300;

export class Sharpness {
  #step = 0;
  #coarsest = SHARES.length - 1;
  #isStill = true;
  #pictures = 0;
  #times = [];
  #before = Infinity; // ms a picture took with the pixels of the step before
  #timer = 0;

  /** @param {() => void} redraw called when nothing moves any more and the last picture is not sharp. */
  constructor(redraw) {
    this.redraw = redraw;
  }

  /** The share of the next picture. */
  get share() {
    return this.#isStill ? 1 : SHARES[this.#step];
  }

  /** Told when a picture is drawn that was begun at a time of `performance.now()`. */
  drawn(begun) {
    clearTimeout(this.#timer);
    const isLast = this.#isStill && this.#step > 0;
    this.#isStill = false;
    if (isLast) return;
    this.#timer = setTimeout(() => {
      this.#isStill = true;
      if (this.#step > 0) this.redraw();
    }, STILL_MS);
    if (this.#pictures++ % EVERY === 0) requestAnimationFrame(() => this.#timed(performance.now() - begun));
  }

  /** A picture took so long until the browser could draw the next one. */
  #timed(ms) {
    if (ms > AWAY_MS) return;
    this.#times.push(ms);
    if (this.#times.length < TIMED) return;
    const median = this.#times.sort((a, b) => a - b)[TIMED >> 1];
    this.#times = [];
    if (this.#step > 0 && median > GAIN * this.#before) {
      this.#coarsest = --this.#step; // something else is slow
    } else if (median > SLOW_MS && this.#step < this.#coarsest) {
      this.#before = median;
      this.#step++;
    }
  }
}
