/** A picture of the sound that scrolls: one column for each moment, high tones above, loud ones bright. */

import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { styles } from "./styles";
import { fill, type Texts } from "./texts";
import type { Level } from "./types";

const COLUMNS = 188;
const SECONDS = 30;
const QUIETEST_DB = -100;
const LOUDEST_DB = -20;
// From night over violet and orange to light yellow: brightness grows with loudness, for every kind of eye.
const COLOURS = [
  [4, 4, 24],
  [62, 15, 114],
  [150, 42, 120],
  [230, 92, 76],
  [252, 170, 90],
  [252, 250, 190],
] as const;

export function colourOf(db: number): [number, number, number] {
  const place = Math.min(1, Math.max(0, (db - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB))) * (COLOURS.length - 1);
  const first = Math.min(COLOURS.length - 2, Math.floor(place));
  const part = place - first;
  const [one, other] = [COLOURS[first] ?? COLOURS[0], COLOURS[first + 1] ?? COLOURS[0]];
  const mix = (index: 0 | 1 | 2) => Math.round(one[index] + part * (other[index] - one[index]));
  return [mix(0), mix(1), mix(2)];
}

export class EchonetSpectrogram extends LitElement {
  static override properties = { level: { attribute: false }, texts: { attribute: false } };

  declare level: Level | undefined;
  declare texts: Texts;

  override render(): TemplateResult {
    return html`
      <h3>${this.texts.spectrogram}</h3>
      <div class="picture">
        <canvas width=${COLUMNS} height="1" role="img" aria-label=${this.texts.spectrogram_label}></canvas>
        <span class="high" aria-hidden="true">${this.texts.high}</span>
        <span class="deep" aria-hidden="true">${this.texts.deep}</span>
      </div>
      <div class="axis quiet" aria-hidden="true">
        <span>${fill(this.texts.seconds_ago, { count: SECONDS })}</span><span>${this.texts.now}</span>
      </div>
    `;
  }

  override updated(changed: PropertyValues): void {
    const bands = this.level?.bands ?? [];
    if (!changed.has("level") || bands.length === 0) return;
    const canvas = this.renderRoot.querySelector("canvas");
    const context = canvas?.getContext("2d", { willReadFrequently: true });
    if (!canvas || !context) return;
    if (canvas.height !== bands.length) {
      canvas.height = bands.length;
      context.fillStyle = `rgb(${COLOURS[0].join(" ")})`;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    context.drawImage(canvas, 1, 0, canvas.width - 1, canvas.height, 0, 0, canvas.width - 1, canvas.height);
    bands.forEach((db, index) => {
      context.fillStyle = `rgb(${colourOf(db).join(" ")})`;
      context.fillRect(canvas.width - 1, canvas.height - 1 - index, 1, 1);
    });
  }

  static override styles = [
    styles,
    css`
      /* The present is at the right, whichever way the reader reads. */
      .picture,
      .axis {
        direction: ltr;
      }
      .picture {
        position: relative;
      }
      canvas {
        display: block;
        width: 100%;
        height: 120px;
        border-radius: 8px;
        background: rgb(4 4 24);
        image-rendering: pixelated;
      }
      .picture span {
        position: absolute;
        left: 6px;
        padding: 0 4px;
        border-radius: 4px;
        background: rgb(0 0 0 / 75%);
        color: white;
        font-size: 0.75rem;
      }
      .high {
        top: 4px;
      }
      .deep {
        bottom: 4px;
      }
      .axis {
        display: flex;
        justify-content: space-between;
        font-size: 0.75rem;
      }
    `,
  ];
}
