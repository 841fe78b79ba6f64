// Which frame is shown, and when: by the video's own frame times, or by a clock where there is none.
//
// Events: "frame" (another frame is on the screen), "state" (playing or not, rate, wanted frame).

import { Events } from "viewer/events.js";
import { onShownFrames } from "viewer/video.js";

export class Playback extends Events {
  #wanted = null; // the frame that was last asked for and is not on the screen yet
  #clockStart = null; // performance.now() and time at which the clock was started

  /**
   * @param {Clip} clip whose frames are shown.
   * @param {HTMLVideoElement | null} video that shows them, null for none.
   * @param {number} start of the video on the clip's clock, seconds.
   */
  constructor(clip, video, start) {
    super();
    this.clip = clip;
    this.video = video;
    this.start = start;
    this.frame = 0;
    this.rate = 1;
    this.isPlaying = false;
    if (video) this.#follow(video);
  }

  get time() {
    return this.clip.times[this.frame] ?? 0;
  }

  /** Where playback is going: the frame asked for, else that on the screen. */
  get wanted() {
    return this.#wanted ?? this.frame;
  }

  async play() {
    if (this.clip.frames < 2) return;
    if (this.wanted >= this.clip.frames - 1) this.seek(0);
    this.isPlaying = true;
    this.emit("state");
    if (this.video) {
      await this.video.play().catch(() => this.pause());
    } else {
      this.#restartClock();
      requestAnimationFrame(this.#tick);
    }
  }

  pause() {
    this.isPlaying = false;
    this.video?.pause();
    this.emit("state");
  }

  toggle() {
    return this.isPlaying ? this.pause() : this.play();
  }

  setRate(rate) {
    this.rate = rate;
    if (this.video) this.video.playbackRate = rate;
    this.#restartClock();
    this.emit("state");
  }

  /** Stop, and go some frames ahead or back. */
  step(frames) {
    this.pause();
    this.seek(this.wanted + frames);
  }

  seekTime(time) {
    this.seek(this.clip.frameAt(time));
  }

  seek(frame) {
    frame = Math.min(Math.max(Math.round(frame), 0), this.clip.frames - 1);
    if (!this.video) {
      this.#show(frame);
      this.#restartClock();
      return;
    }
    this.#wanted = frame;
    this.emit("state");
    if (!this.video.seeking) this.#seekVideo();
  }

  /**
   * Look which frame a playing video shows at this moment: what it said last may be a frame or two
   * old by the time it is drawn. Called before drawing.
   */
  catchUp() {
    const { video } = this;
    if (!video || !(this.isPlaying || video.ended)) return;
    if (!window.VideoFrame || video.seeking || video.readyState < 2) return;
    try {
      const frame = new VideoFrame(video);
      const time = frame.timestamp / 1e6;
      frame.close();
      this.#show(this.clip.frameAt(this.start + time));
    } catch { /* it shows none yet */ }
  }

  #seekVideo() {
    if (this.#wanted === null) return;
    const { clip, video } = this;
    const middle = (clip.times[this.#wanted] + clip.frameEnd(this.#wanted)) / 2;
    const goal = Math.max(middle - this.start, 0);
    // a player told to go where it is says nothing
    if (Math.abs(video.currentTime - goal) < 1e-4) this.#wanted = null;
    else video.currentTime = goal;
  }

  #show(frame) {
    if (frame === this.frame) return;
    this.frame = frame;
    this.emit("frame", frame);
  }

  /** Take the frame from the video whenever it shows another one. */
  #follow(video) {
    const shown = (time) => this.#show(this.clip.frameAt(this.start + time));
    if (!onShownFrames(video, shown)) {
      const look = () => {
        if (!video.seeking) shown(video.currentTime - 0.5 / this.clip.fps);
        requestAnimationFrame(look);
      };
      look();
    }
    video.addEventListener("seeked", () => {
      const goal = this.#wanted;
      if (goal === null) return;
      const { clip } = this;
      const at = this.start + video.currentTime;
      if (at >= clip.times[goal] && at <= clip.frameEnd(goal)) {
        this.#wanted = null;
        this.#show(goal);
      } else {
        this.#seekVideo();
      }
      this.emit("state");
    });
    for (const name of ["play", "pause", "ended"]) {
      video.addEventListener(name, () => {
        this.isPlaying = !video.paused && !video.ended;
        this.emit("state");
      });
    }
  }

  #restartClock() {
    this.#clockStart = { now: performance.now(), time: this.time };
  }

  #tick = (now) => {
    if (!this.isPlaying) return;
    const { clip } = this;
    const time = this.#clockStart.time + ((now - this.#clockStart.now) / 1000) * this.rate;
    if (time >= clip.frameEnd(clip.frames - 1)) {
      this.#show(clip.frames - 1);
      this.pause();
      return;
    }
    // the frame that has begun, as a player would show it
    let frame = this.frame;
    while (frame + 1 < clip.frames && clip.times[frame + 1] <= time) frame++;
    this.#show(frame);
    requestAnimationFrame(this.#tick);
  };
}
