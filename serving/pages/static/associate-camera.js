/* Reads codes with the tablet's camera: by the browser, or by the service where it cannot. */

import { h } from "./dashboard-dom.js";
import { t } from "./messages.js";

const BETWEEN = 250;
const MOST = 800; // pixels of a side; enough for a bar code that fills the picture
const token = document.querySelector("meta[name=csrf-token]").content;

async function detector() {
  if (!("BarcodeDetector" in self)) return null;
  try {
    const known = await BarcodeDetector.getSupportedFormats();
    const formats = ["qr_code", "ean_13", "ean_8", "upc_a", "code_128", "code_39"].filter((one) => known.includes(one));
    return formats.length ? new BarcodeDetector({ formats }) : null;
  } catch {
    return null;
  }
}

/** Grey values of what a video shows now. */
function grey(video, canvas) {
  const scale = Math.min(1, MOST / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const values = new Uint8Array(canvas.width * canvas.height);
  for (let ix = 0; ix < values.length; ix += 1) {
    values[ix] = (data[4 * ix] * 77 + data[4 * ix + 1] * 150 + data[4 * ix + 2] * 29) >> 8;
  }
  return values;
}

async function readThere(video, canvas) {
  const values = grey(video, canvas);
  const answer = await fetch(`/associate/codes?width=${canvas.width}&height=${canvas.height}`, {
    method: "POST", credentials: "same-origin", body: values,
    headers: { "Content-Type": "application/octet-stream", "X-CSRF-Token": token },
  });
  return answer.ok ? (await answer.json()).codes : [];
}

/** Show what the camera sees until it sees a code; null where there is none, or nobody wants it. */
export async function readCode() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 1280 } });
  } catch {
    return { trouble: t("There is no camera, or this page may not use it.") };
  }
  const video = h("video", { playsinline: true, muted: true });
  const canvas = document.createElement("canvas");
  video.srcObject = stream;
  return new Promise((resolve) => {
    let over = false;
    const end = (text) => {
      if (over) return;
      over = true;
      for (const track of stream.getTracks()) track.stop();
      dialog.close();
      dialog.remove();
      resolve({ text });
    };
    const dialog = h("dialog", { class: "card large", onclose: () => end(null), "aria-label": t("Camera") },
      video, h("p", {}, t("Hold the code before the camera.")),
      h("p", {}, h("button", { type: "button", class: "quiet", onclick: () => end(null) }, t("Cancel"))));
    document.body.append(dialog);
    dialog.showModal();
    (async () => {
      const own = await detector();
      await video.play();
      while (!over) {
        try {
          const codes = own ? (await own.detect(video)).map((one) => one.rawValue) : await readThere(video, canvas);
          if (codes.length) end(codes[0]);
        } catch {
          // The next picture may be better.
        }
        await new Promise((next) => { setTimeout(next, BETWEEN); });
      }
    })();
  });
}
