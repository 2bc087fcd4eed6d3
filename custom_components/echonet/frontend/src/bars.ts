/** How loud it is and how likely each sound, as bars that move. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { styles } from "./styles";
import { fill, type Texts } from "./texts";
import { percent } from "./times";
import type { Level, View } from "./types";

const QUIETEST_DBFS = -80;
// What was likely a moment ago stays visible for a while: people look more slowly than sounds come and go.
const DECAY = 0.75;

export class EchonetBars extends LitElement {
  static override properties = { view: { attribute: false }, level: { attribute: false }, texts: { attribute: false } };

  declare view: View;
  declare level: Level | undefined;
  declare texts: Texts;
  #shown: Record<string, number> = {};

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("level")) return;
    const heard = this.level?.probabilities ?? {};
    const shown: Record<string, number> = {};
    for (const [name, share] of Object.entries(heard)) shown[name] = Math.max(share, DECAY * (this.#shown[name] ?? 0));
    this.#shown = shown;
  }

  override render(): TemplateResult {
    const classes = this.view.classes;
    const older = this.level !== undefined && Object.keys(this.level.probabilities).length === 0;
    return html`
      ${this.#loudness()}
      <h3>${this.texts.sounds_like}</h3>
      ${
        older
          ? html`<p class="quiet">${this.texts.older_satellite}</p>`
          : html`<div class="bars">${classes.map((name) => this.#bar(name))}</div>
              <p class="quiet">${this.texts.mark}</p>`
      }
    `;
  }

  #loudness(): TemplateResult {
    const share = (dbfs: number) => Math.min(1, Math.max(0, 1 - dbfs / QUIETEST_DBFS));
    const rms = this.level?.rms ?? QUIETEST_DBFS;
    const peak = this.level?.peak ?? QUIETEST_DBFS;
    return html`
      <h3 id="loudness">${this.texts.loudness}</h3>
      <div
        class="track loudness"
        role="meter"
        aria-labelledby="loudness"
        aria-valuemin=${QUIETEST_DBFS}
        aria-valuemax="0"
        aria-valuenow=${Math.round(Math.min(0, Math.max(QUIETEST_DBFS, rms)))}
        aria-valuetext="${Math.round(rms)} dB"
      >
        <div class="fill" style="transform: scaleX(${share(rms).toFixed(3)})"></div>
        <div class="mark" style="inset-inline-start: ${(100 * share(peak)).toFixed(1)}%"></div>
      </div>
    `;
  }

  #bar(name: string): TemplateResult {
    const share = this.#shown[name] ?? 0;
    const heard = this.view.active.includes(name);
    const threshold = this.level?.thresholds[name];
    const title = this.view.names[name] ?? name;
    const label = fill(heard ? this.texts.bar_heard : this.texts.bar, { name: title, percent: percent(share) });
    return html`
      <div class="row ${heard ? "heard" : ""}" data-class=${name}>
        <span class="name" aria-hidden="true">${title}</span>
        <div
          class="track"
          role="meter"
          aria-label=${title}
          aria-valuemin="0"
          aria-valuemax="100"
          aria-valuenow=${percent(share)}
          aria-valuetext=${label}
        >
          <div class="fill" style="transform: scaleX(${share.toFixed(3)})"></div>
          ${
            threshold === undefined
              ? nothing
              : html`<div class="mark" style="inset-inline-start: ${(100 * threshold).toFixed(1)}%"></div>`
          }
        </div>
        <span class="share" aria-hidden="true">${percent(share)} %</span>
      </div>
    `;
  }

  static override styles = [
    styles,
    css`
      .track {
        position: relative;
        height: 12px;
        border-radius: 6px;
        overflow: hidden;
        background: color-mix(in srgb, var(--primary-text-color) 14%, transparent);
      }
      .loudness {
        height: 16px;
        border-radius: 8px;
        margin-bottom: 14px;
      }
      .fill {
        height: 100%;
        border-radius: inherit;
        transform-origin: left;
        background: var(--primary-color);
        transition: transform 0.15s linear;
      }
      .fill:dir(rtl) {
        transform-origin: right;
      }
      .mark {
        position: absolute;
        top: 0;
        bottom: 0;
        width: 2px;
        margin-inline-start: -1px;
        background: var(--primary-text-color);
      }
      .bars {
        display: grid;
        gap: 6px;
      }
      .row {
        display: grid;
        grid-template-columns: minmax(7em, 11em) 1fr 3.2em;
        align-items: center;
        gap: 8px;
        font-size: 0.875rem;
      }
      .share {
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      .heard {
        font-weight: 700;
      }
      .heard .fill {
        background: var(--error-color);
      }
      .heard .name::before {
        content: "\\25cf\\00a0";
      }
      @media (prefers-reduced-motion: reduce) {
        .fill {
          transition: none;
        }
      }
    `,
  ];
}
