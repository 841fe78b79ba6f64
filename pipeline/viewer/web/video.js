// A video, or a picture, put on the page.

import { make } from "viewer/dom.js";

/**
 * Show what `pipeline/viewer/page.py` says of a video in an element.
 * @returns {{shown: HTMLVideoElement | null, start: number, url: string} | null} `shown` null where it
 * does not move; null where there is none.
 */
export function showVideo(video, parent) {
  if (!video) return null;
  const { url, is_picture: isPicture, start_s: start } = video;
  const source = isPicture ? url : asBlob(url);
  const shown = isPicture
    ? make("img", { src: source, alt: "The picture" })
    : make("video", { src: source, playsInline: true, preload: "auto", disablePictureInPicture: true });
  if (!isPicture) shown.setAttribute("aria-label", "The video; it is played by the buttons below");
  parent.append(shown);
  return { shown: isPicture ? null : shown, start, url: source };
}

/**
 * Call back with the seconds of each frame that a video shows.
 * @returns {boolean} whether the browser can tell.
 */
export function onShownFrames(video, callback) {
  if (!video.requestVideoFrameCallback) return false;
  const next = (_, { mediaTime }) => {
    callback(mediaTime);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
  return true;
}

/** A `data:` URL as one of a Blob, in which players seek at once. */
function asBlob(url) {
  if (!url.startsWith("data:")) return url;
  const comma = url.indexOf(",");
  const bytes = Uint8Array.from(atob(url.slice(comma + 1)), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: url.slice(5, url.indexOf(";")) }));
}
